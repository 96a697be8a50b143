"""About how many records match: counted where they are few or soon found, else told by a sample."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from pymongo.errors import ExecutionTimeout

from fhir_server.errors import TooCostly
from fhir_server.model import Query
from fhir_server.store.explanation import Total
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.plan import Plan
from fhir_server.store.mongo.reader import Reader
from fhir_server.store.mongo.search import total
from fhir_server.store.mongo.walk import Ask, count, walk

MOST_EXACT = 1000
"""Estimates below are exact."""
_SIZE = 1000
_SPARSE = 20
"""The server draws a sample without reading everything if it is one of so many records at most."""
_HITS = 5
"""A sample that has fewer tells nothing."""


async def estimate(r: Reader, query: Query) -> Total:
    """Return how many records match, or what a sample comes to."""
    ask = Ask(query.type, query.where, fields={"_id": 1})
    try:
        number = await count(r.hurried(), replace(ask, limit=MOST_EXACT))
    except (ExecutionTimeout, TooCostly):
        number = MOST_EXACT
    if number < MOST_EXACT:
        return Total(number)
    everything = await r.tables.records.estimated_document_count(maxTimeMS=r.left())
    hits = await _hits(r, ask) if everything >= _SPARSE * _SIZE else 0
    if hits < _HITS:
        return Total(await total(replace(r, wants="all"), query))
    return Total(hits * everything // _SIZE, is_exact=False)


async def _hits(r: Reader, ask: Ask) -> int:
    """Return how many of a sample of all records match."""
    async with aclosing(walk(r, replace(ask, stream=_sampled))) as blocks:
        return sum([len(block) async for block in blocks])


async def _sampled(r: Reader, plan: Plan, fields: Doc, limit: int) -> AsyncGenerator[Doc, None]:
    """Yield those of a sample that satisfy a plan, whatever index would lead to them."""
    stages: list[Doc] = [{"$sample": {"size": _SIZE}}, {"$match": plan.where}, {"$project": fields}]
    async for doc in await r.aggregate(stages):
        yield doc
