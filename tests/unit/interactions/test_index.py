"""What processes know of each other's search parameters, and of another version's."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.definitions import Definitions
from fhir_server.errors import BeingIndexed
from fhir_server.interactions import reindex as working
from fhir_server.interactions.index import Index
from fhir_server.interactions.progress import Lease, Lost, Progress
from fhir_server.interactions.reindex import again, keep_indexed, reindex
from fhir_server.search import extract
from fhir_server.search.extract import Extractor
from fhir_server.search.fulltext import FullText
from fhir_server.store.open import open_store
from tests.conftest import Clock, Hub
from tests.unit.interactions.test_searchparameter import LI, NICKNAME
from tests.unit.interactions.test_searchparameter import again as done


@pytest.fixture(params=["sqlite", "mongodb"])
def pair(
    request: pytest.FixtureRequest, make_hub: Callable[..., Hub], tmp_path: Path
) -> tuple[Hub, Hub]:
    """Two processes on one store, as far as they know."""
    url = f"sqlite:///{tmp_path}/hub.db"
    if request.param == "mongodb":
        url = request.getfixturevalue("mongo").url("pair")
    return make_hub(url), make_hub(url)


def test_another_process_knows_a_parameter_with_its_next_request(pair: tuple[Hub, Hub]) -> None:
    one, other = pair
    other.put_in(LI)
    assert other.get("Patient?nickname=xiao").status_code == 400

    one.put_in(NICKNAME)

    assert other.get("Patient?nickname=xiao").status_code == 503
    done(one)
    assert other.ids("Patient?nickname=xiao") == ["Patient/li"]
    one.delete("SearchParameter/nickname")
    assert other.get("Patient?nickname=xiao").status_code == 400


def test_another_process_writes_by_a_parameter_that_it_has_not_seen(pair: tuple[Hub, Hub]) -> None:
    one, other = pair
    one.put_in(NICKNAME)
    done(one)

    other.put_in(LI)

    assert one.ids("Patient?nickname=xiao") == ["Patient/li"]


def test_a_transaction_is_made_again_by_the_parameters_of_its_commit(pair: tuple[Hub, Hub]) -> None:
    one, other = pair
    one.put_in(NICKNAME)
    done(one)
    entry = {"resource": LI, "request": {"method": "PUT", "url": "Patient/li"}}

    answer = other.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})

    assert answer.status_code == 200
    assert one.ids("Patient?nickname=xiao") == ["Patient/li"]


def test_a_transaction_defines_two_parameters(hub: Hub) -> None:
    second = NICKNAME | {"id": "official", "code": "official", "url": "http://example.org/second"}
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"SearchParameter/{each['id']}"}}
        for each in (NICKNAME, second)
    ]
    hub.put_in(LI)

    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert hub.post("", bundle).status_code == 200
    done(hub)
    assert hub.ids("Patient?nickname=xiao&official=xiao") == ["Patient/li"]


def test_a_batch_searches_by_what_it_has_defined(hub: Hub) -> None:
    entries = [
        {"resource": NICKNAME, "request": {"method": "PUT", "url": "SearchParameter/nickname"}},
        {"request": {"method": "GET", "url": "Patient?nickname=x"}},
    ]

    answer = hub.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})

    assert [each["response"]["status"][:3] for each in answer.json()["entry"]] == ["201", "503"]


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes this program one that indexes strings otherwise."""

    def become() -> None:
        editions: Mapping[str, int] = extract.EDITIONS
        monkeypatch.setitem(extract.EDITIONS, "string", editions["string"] + 1)

    return become


def test_another_version_of_the_hub_indexes_again(hub: Hub, newer: Callable[[], None]) -> None:
    hub.run(hub.server.index.settle())
    hub.put_in(LI)
    newer()
    hub.run(hub.server.index.settle())

    assert hub.get("Patient?family=li").status_code == 503
    assert hub.ids("Patient?active:missing=true") == ["Patient/li"]
    done(hub)
    assert hub.ids("Patient?family=li") == ["Patient/li"]


def test_a_process_of_an_older_version_neither_asks_nor_writes(
    pair: tuple[Hub, Hub], newer: Callable[[], None]
) -> None:
    one, other = pair
    for each in pair:
        each.run(each.server.index.settle())
    monkey = dict(extract.EDITIONS)
    newer()
    one.run(one.server.index.settle())
    extract.EDITIONS.update(monkey)

    assert other.get("Patient?family=li").status_code == 503
    assert other.put("Patient/li", LI).status_code == 503
    assert other.get("metadata").status_code == 200


def test_a_store_of_before_is_indexed_again(hub: Hub) -> None:
    hub.put_in(LI)
    hub.run(hub.server.index.settle())

    assert set(hub.server.index.known.indexing.work) == {"Patient"}
    assert hub.ids("Patient?family=li") == ["Patient/li"]
    for query in ("_content=li", "_text=li", "identifier:text=li"):
        assert hub.get(f"Patient?{query}").status_code == 503
    done(hub)
    assert hub.ids("Patient?_content=li") == ["Patient/li"]


def test_a_new_store_has_nothing_to_do(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub()
    hub.run(hub.server.index.settle())

    assert hub.server.index.known.indexing.work == {}


def test_progress_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "_TOGETHER", 1)
    monkeypatch.setattr("fhir_server.interactions.progress._KEPT_AFTER", -1.0)
    hub.put_in(LI, LI | {"id": "second"}, LI | {"id": "third"}, NICKNAME)
    heard: list[str] = []

    def told(progress: Progress) -> None:
        if progress.done == 2:
            raise BeingIndexed("the process ends here")

    with pytest.raises(BeingIndexed):
        hub.run(reindex(hub.server, hub.server.store, "ended", told=told))  # type: ignore[arg-type]
    heard.append(hub.get("Patient?nickname=x").json()["issue"][0]["diagnostics"])

    assert "33 % of Patient are done" in heard[0]


def test_one_process_at_a_time_has_the_lease(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub()
    first = Lease(hub.server.store, hub.clock, "first")
    hub.run(first.take())

    with pytest.raises(Lost):
        hub.run(Lease(hub.server.store, hub.clock, "second").take())
    hub.clock.now += 16_000
    hub.run(Lease(hub.server.store, hub.clock, "second").take())
    with pytest.raises(Lost):
        hub.run(first.begin("Patient", 1, 0))


def test_what_comes_up_is_done_in_the_background(
    make_hub: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_LOOKS_AFTER", 0.0)
    hub = make_hub()
    hub.put_in(LI, NICKNAME)

    async def work() -> list[Any]:
        server = replace(hub.server)
        task = asyncio.create_task(keep_indexed(server, server.store))  # type: ignore[arg-type]
        while server.index.known.indexing.work or not server.index.known.vid:
            await asyncio.sleep(0)
        task.cancel()
        return await asyncio.gather(task, return_exceptions=True)

    hub.run(work())

    assert hub.ids("Patient?nickname=xiao") == ["Patient/li"]


def test_a_type_can_be_done_again(hub: Hub) -> None:
    hub.put_in(LI)
    hub.run(again(hub.server, "Patient"))

    assert set(hub.run(hub.server.index.refresh()).indexing.work) == {"Patient"}
    done(hub)
    assert hub.run(hub.server.index.refresh()).indexing.work == {}


def test_words_that_were_not_kept_are_gathered_again(
    make_hub: Callable[..., Hub], definitions: Definitions, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    store = open_store(url, Clock())
    without = Index(store, Extractor(definitions, full_text=FullText(frozenset())))
    first = make_hub(url, index=without)
    first.run(without.settle())
    first.put_in(LI)
    second = make_hub(url)
    second.run(second.server.index.settle_words())

    assert second.get("Patient?_content=xiaoli").status_code == 503
    done(second)
    assert second.ids("Patient?_content=xiaoli") == ["Patient/li"]
    first.run(store.close())
