"""Which index leads on MongoDB, by how many documents the server looks at."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.authz.grant import active
from fhir_server.model import Entry, Key, Page, Query, Sort, Write
from fhir_server.search.tree import (
    EVERYTHING,
    And,
    Cond,
    ForEachPatient,
    Has,
    Match,
    Or,
    Together,
)
from fhir_server.store.explanation import Step, Total
from fhir_server.store.mongo import estimate, plan, segments
from fhir_server.store.mongo.lately import SECONDS, Lately
from fhir_server.store.mongo.store import MongoStore
from tests.mongod import Mongo

Body = Callable[[MongoStore], Coroutine[Any, Any, None]]

RECORDS = 600


def _is(param: str, value: str) -> Match:
    return Match(param, (Cond("v", "=", value),))


def _write(n: int) -> Write:
    entries = (
        Entry("code", "common"),
        Entry("status", "final"),
        Entry("patient", f"Patient/{n % 100}"),
        Entry("date", n * 7 % RECORDS),
        *((Entry("size", n * 31 % RECORDS),) if n % 6 else ()),
        Entry("both.0", "common" if n % 2 else "rare", group=1),
        Entry("both.1", n, group=1),
    )
    return Write(Key("Observation", str(n)), b"{}", entries, patients=(str(n % 100),))


def _grant(n: int) -> Write:
    entries = (Entry("recipient", "clinic"), Entry("from", 0), Entry("until", 9000))
    return Write(Key("grant", str(n)), b"{}", entries, patients=(str(n),))


_GRANTED = Or(
    (
        _is("_owner", "clinic"),
        Has("grant", "resource", active(_is("recipient", "clinic"))),
        ForEachPatient("grant", active(_is("recipient", "clinic"))),
    )
)


@pytest.fixture(scope="module")
def url(mongo: Mongo) -> str:
    """A database of some hundred observations of which most say the same."""
    url = mongo.url("plan")

    async def fill() -> None:
        store = MongoStore(url, lambda: 1000)
        await store.commit([_write(n) for n in range(RECORDS)])
        await store.commit([_grant(n) for n in (3, 50, 98)])
        await store.close()

    asyncio.run(fill())
    return url


def _looked_at(url: str, body: Body, patience: float = 10.0) -> list[int]:
    """Return the documents that each command on records looked at."""
    with MongoClient[Any](url) as client:
        database = client.get_default_database()
        database["system.profile"].drop()

        async def run() -> None:
            store = MongoStore(url, lambda: 1000, patience=patience)
            database.command("profile", 2)
            try:
                await body(store)
            finally:
                database.command("profile", 0)
                await store.close()

        asyncio.run(run())
        lines = database["system.profile"].find({"ns": f"{database.name}.record"})
        return [line["docsExamined"] for line in lines if "docsExamined" in line]


def _search(*queries: Query) -> Body:
    async def body(store: MongoStore) -> None:
        for query in queries:
            await store.search(query)

    return body


def test_a_patient_leads_without_being_counted(url: str) -> None:
    where = And((_is("patient", "Patient/7"), _is("code", "common")))

    looked = _looked_at(url, _search(Query("Observation", where, (Sort("date", True),), limit=20)))

    assert looked == [6]


def test_what_was_counted_is_not_counted_again(url: str) -> None:
    where = And((_is("status", "final"), _is("code", "common")))
    query = Query("Observation", where, limit=20)

    looked = _looked_at(url, _search(query, query))

    assert len(looked) == 4
    assert looked[-1] == 21


def test_who_has_a_parameter_that_few_have_is_led_to(url: str) -> None:
    query = Query("grant", Match("recipient"), limit=20)
    nobody = Query("Observation", Match("performer"), limit=20)

    assert _looked_at(url, _search(query, nobody)) == [3, 3, 0, 0]


def test_a_composite_stops_when_its_page_is_full(url: str) -> None:
    where = Together("both", ((Cond("v", "=", "common"),), (Cond("v", ">=", 0),)))

    assert _looked_at(url, _search(Query("Observation", where, limit=20))) == [21]


def test_all_of_a_type_are_counted_without_looking_at_one(url: str) -> None:
    async def body(store: MongoStore) -> None:
        assert await store.count(Query("Observation", EVERYTHING)) == RECORDS

    assert _looked_at(url, body) == [0]


def test_an_explanation_tells_how_many_a_patient_has(url: str) -> None:
    found: list[Sequence[Step]] = []

    async def body(store: MongoStore) -> None:
        found.append((await store.explain(Query("Observation", _is("patient", "Patient/7")))).steps)

    _looked_at(url, body)

    assert found == [(Step("leads", "Observation", "patient", 6),)]


@pytest.mark.parametrize("sort", [(), (Sort("date", True),)])
def test_a_walk_that_takes_too_long_is_given_up_for_one_by_patients(
    url: str, sort: tuple[Sort, ...]
) -> None:
    query = Query("Observation", _GRANTED, sort, limit=12, now=10)
    found: list[Page] = []

    async def body(store: MongoStore) -> None:
        found.append(await store.search(query))

    _looked_at(url, body)
    looked = _looked_at(url, body, patience=0.0)

    assert found[0] == found[1]
    assert len(found[0].versions) == 12
    assert sum(looked) < 50


def test_a_count_under_grants_goes_by_patients(url: str) -> None:
    async def body(store: MongoStore) -> None:
        assert await store.count(Query("Observation", _GRANTED, now=10)) == 18

    assert sum(_looked_at(url, body)) < 50


@pytest.mark.parametrize("sorts", [("size",), ("-size",), ("size", "-date"), ("-size", "date")])
def test_what_comes_first_in_any_order_is_found_by_its_values(
    url: str, monkeypatch: pytest.MonkeyPatch, sorts: tuple[str, ...]
) -> None:
    """What has no value comes last, in the default order or in that of the next key."""
    sort = tuple(Sort(each.removeprefix("-"), each.startswith("-")) for each in sorts)
    query = Query("Observation", EVERYTHING, sort, limit=40)
    expected = asyncio.run(_pages(url, query))
    monkeypatch.setattr(plan, "_MUCH", 100)
    monkeypatch.setattr(segments, "_FIRST", 50)

    found = asyncio.run(_pages(url, query))
    looked = _looked_at(url, _search(query))

    assert len(found) == RECORDS
    assert found == expected
    assert sum(looked[-1:]) < RECORDS / 3


async def _pages(url: str, query: Query) -> list[Key]:
    store = MongoStore(url, lambda: 1000)
    found: list[Key] = []
    while True:
        page = await store.search(query)
        found += [version.key for version in page.versions]
        if page.next is None:
            await store.close()
            return found
        query = replace(query, after=page.next)


def test_an_estimate_of_many_is_near_and_marked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "MOST_EXACT", 50)
    monkeypatch.setattr(estimate, "_SIZE", 200)
    monkeypatch.setattr(estimate, "_SPARSE", 1)
    found: list[Total] = []

    async def body(store: MongoStore) -> None:
        for value in ("common", "rare", "none"):
            where = Together("both", ((Cond("v", "=", value),), ()))
            found.append(await store.estimate(Query("Observation", where)))
        few = And((_is("code", "common"), _is("patient", "Patient/7")))
        found.append(await store.estimate(Query("Observation", few)))

    _looked_at(url, body)

    assert [total.is_exact for total in found] == [False, False, True, True]
    assert all(150 < total.number < 450 for total in found[:2])
    assert [total.number for total in found[2:]] == [0, 6]


def test_counts_serve_for_a_while() -> None:
    now = [0.0]
    counts: Lately[int] = Lately(lambda: now[0])
    counts.keep("Observation", "code", 7)
    at_first = counts.get("Observation", "code")
    now[0] = SECONDS

    assert at_first == 7
    assert counts.get("Observation", "code") is None
    assert counts.get("Patient", "code") is None
