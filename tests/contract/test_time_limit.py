"""A query that takes too long is given up on every store: page, count, estimate, explanation."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_server.errors import TooCostly
from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.tree import Cond, Match, Not
from fhir_server.store.open import Kept, Limits, open_store
from tests.mongod import Mongo

_MANY = 4000
_QUERY = Query("Observation", Not(Match("code", (Cond("v", "contains", "x"),))), limit=10)
ASKED = ("search", "count", "estimate", "explain")

Open = Callable[[float], Kept]


@pytest.fixture(params=["memory", "sqlite", "mongodb"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """What opens one and the same store under a limit in seconds."""
    if request.param == "memory":
        urls = "memory://"
    elif request.param == "sqlite":
        urls = f"sqlite:///{tmp_path}/hub.db"
    else:
        mongo: Mongo = request.getfixturevalue("mongo")
        urls = mongo.url("limits")
    return lambda seconds: open_store(urls, lambda: 1, Limits(query_seconds=seconds))


def test_a_query_without_time_is_too_costly(opened: Open) -> None:
    async def run() -> None:
        store = opened(0.0)
        for start in range(0, _MANY, 1000):
            await store.commit(
                [
                    Write(Key("Observation", str(n)), b"{}", (Entry("code", f"x{n}"),))
                    for n in range(start, start + 1000)
                ]
            )
        try:
            for name in ASKED:
                with pytest.raises(TooCostly):
                    await getattr(store, name)(_QUERY)
        finally:
            await store.close()

    asyncio.run(run())
