"""Joins by canonical URL: what a record is named, and what it refers to. Pure.

A record is named by its `url`, with each of its `version`s and without: a canonical need not name
one. A join holds where a name of one side is a canonical of the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from fhir_server.search.tree import Chain, Has
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.logic import both, either, entry

Doc = dict[str, Any]
Canonical = tuple[str, str]
"""A URL and a version, `''` for none."""


def params(join: Chain | Has, *, is_own: bool) -> tuple[str, ...]:
    """Return the parameters that the join is by, on the side of the record that is asked or on
    the other one."""
    return (join.param,) if isinstance(join, Chain) == is_own else ("url", "version")


def told(join: Chain | Has, entries: Iterable[Doc], *, is_own: bool) -> set[Canonical]:
    """Return the names or canonicals that the entries of one side tell."""
    texts = [each for each in entries if isinstance(each["v"], str)]
    if isinstance(join, Chain) == is_own:
        return {(each["v"], each["w"]) for each in texts}
    urls = {each["v"] for each in texts if each["p"] == "url"}
    versions = {each["v"] for each in texts if each["p"] == "version"}
    return {(url, version) for url in urls for version in (*versions, "")}


def condition(join: Chain | Has, others: Iterable[Canonical]) -> Filter:
    """Return which records the join holds for, by what the records on its other side tell."""
    urls: dict[str, list[str]] = defaultdict(list)
    for url, version in sorted(others, key=str):
        urls[version].append(url)
    make = _referring if isinstance(join, Chain) else _named
    return either(make(join.param, version, found) for version, found in urls.items())


def _referring(param: str, version: str, urls: Sequence[str]) -> Filter:
    return entry(param, {"v": {"$in": urls}, "w": {"$eq": version}})


def _named(param: str, version: str, urls: Sequence[str]) -> Filter:
    named = entry("url", {"v": {"$in": urls}})
    return both((named, entry("version", {"v": {"$eq": version}}))) if version else named
