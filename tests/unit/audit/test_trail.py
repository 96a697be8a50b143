"""The trail is read by auditors, and by patients where it is about them."""

from typing import Any

import pytest

from fhir_server.audit.search import Found, about, find, read
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, Forbidden
from fhir_server.search.cursor import Signer
from tests.unit.audit.conftest import AUDITOR, DOCTOR, PATIENT, Trail

pytestmark = pytest.mark.anyio


def ids(found: Found) -> list[str]:
    return [event["id"] for event in found.events]


def has_query(event: dict[str, Any] | None) -> bool:
    return any("query" in entity for entity in (event or {})["entity"])


async def ask(trail: Trail, signer: Signer, caller: Caller, query: str) -> list[str]:
    params = [tuple(part.split("=")) for part in query.split("&") if part]
    return ids(await find(trail.store, caller, params, 20, signer))  # type: ignore[arg-type]


async def test_an_auditor_reads_everything_newest_first(trail: Trail, signer: Signer) -> None:
    await trail.row("a")
    await trail.row("b", after=1, patients=("p2",))
    await trail.row("c", after=2, patients=())

    assert await ask(trail, signer, AUDITOR, "") == ["c-0", "b-0", "a-0"]
    assert await ask(trail, signer, AUDITOR, "_sort=date") == ["a-0", "b-0", "c-0"]


async def test_a_patient_reads_what_is_about_the_own_record_alone(
    trail: Trail, signer: Signer
) -> None:
    await trail.row("a", patients=("p2", "p1"))
    await trail.row("b", patients=("p2",))
    await trail.row("c", patients=())

    assert await ask(trail, signer, PATIENT, "") == ["a-1"]
    assert await ask(trail, signer, PATIENT, "patient=p2") == []
    assert await ask(trail, signer, PATIENT, "_id=a-0,a-1,b-0") == ["a-1"]
    assert await read(trail.store, PATIENT, "a-0") is None
    assert await read(trail.store, PATIENT, "c-0") is None
    assert (await read(trail.store, PATIENT, "a-1") or {})["id"] == "a-1"


async def test_a_patient_does_not_read_what_else_was_searched_for(
    trail: Trail, signer: Signer
) -> None:
    """The query may name other patients, whom nothing tells this one of."""
    query = "patient=p1,p2"
    await trail.row("a", interaction="search-type", id="", query=query, patients=("p1", "p2"))

    found = await find(trail.store, PATIENT, [], 20, signer)
    events = [*found.events, await read(trail.store, PATIENT, "a-0")]
    whole = await find(trail.store, AUDITOR, [], 20, signer)

    assert [has_query(event) for event in events] == [False, False]
    assert [has_query(event) for event in whole.events] == [True, True]


async def test_no_next_page_tells_a_patient_whom_else_a_row_is_about(
    trail: Trail, signer: Signer
) -> None:
    for id in "abc":
        await trail.row(id, patients=("p1", "p2"), after=ord(id))

    found = await find(
        trail.store, PATIENT, [("entity", "Patient/p2"), ("_count", "1")], 20, signer
    )

    assert (found.events, found.cursor) == ((), "")


async def test_nobody_else_reads_it(trail: Trail, signer: Signer) -> None:
    await trail.row("a")
    with pytest.raises(Forbidden):
        await ask(trail, signer, DOCTOR, "")
    with pytest.raises(Forbidden):
        await read(trail.store, DOCTOR, "a-0")
    with pytest.raises(Forbidden):
        await about(trail.store, DOCTOR, "p1")


@pytest.mark.parametrize("id", ["a-1", "a", "a-", "", "b-0", "a-00", "a--0"])
async def test_an_id_that_is_none_is_absent(trail: Trail, id: str) -> None:
    await trail.row("a")

    assert await read(trail.store, AUDITOR, id) is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("patient=Patient/p1", ["b-0", "a-0"]),
        ("patient=p2", ["b-1"]),
        ("agent=Practitioner/liu", ["b-0", "b-1", "a-0"]),
        ("agent=liu", ["b-0", "b-1", "a-0"]),
        ("agent=PractitionerRole/r1", ["b-0", "b-1", "a-0"]),
        ("agent=Practitioner/other", []),
        ("action=E", ["b-0", "b-1"]),
        ("action=http://hl7.org/fhir/audit-event-action|R", ["a-0"]),
        ("subtype=search", ["b-0", "b-1"]),
        ("outcome=0", ["b-0", "b-1", "a-0"]),
        ("outcome=4,8", []),
        ("entity=Patient/p2", ["b-1"]),
        ("entity=Patient/p1", ["b-0", "a-0"]),
        ("entity=Organization/clinic", ["b-0", "b-1", "a-0"]),
        ("entity=Observation/9", []),
        ("date=2026-09-21", ["b-0", "b-1", "a-0"]),
        ("date=gt2026-09-21", []),
        ("date=le2026-09-20", []),
        ("_id=a-0", ["a-0"]),
        ("patient=p1&action=R", ["a-0"]),
    ],
)
async def test_the_trail_is_searched(
    trail: Trail, signer: Signer, query: str, found: list[str]
) -> None:
    await trail.row("a")
    await trail.row("b", after=5, interaction="search-type", id="", patients=("p1", "p2"))

    assert await ask(trail, signer, AUDITOR, query) == found


@pytest.mark.parametrize("query", ["x=1", "patient:not=p1", "_sort=agent", "date=soon", "entity=1"])
async def test_what_is_not_understood_is_refused(trail: Trail, signer: Signer, query: str) -> None:
    with pytest.raises(BadRequest, match=query.partition("=")[0]):
        await ask(trail, signer, AUDITOR, query)


@pytest.mark.parametrize("count", ["0", "-1", "x", ""])
async def test_a_count_is_a_number(trail: Trail, signer: Signer, count: str) -> None:
    with pytest.raises(BadRequest):
        await find(trail.store, AUDITOR, [("_count", count)], 20, signer)


async def test_pages_show_each_event_once_though_rows_come_meanwhile(
    trail: Trail, signer: Signer
) -> None:
    for number in range(5):
        patients = tuple(f"p{n}" for n in range(number))
        await trail.row(f"r{number}", after=number, patients=patients)
    seen: list[str] = []
    cursor: list[tuple[str, str]] = []
    for number in range(20):
        found = await find(trail.store, AUDITOR, [("_count", "3"), *cursor], 20, signer)
        assert len(found.events) <= 3
        seen += ids(found)
        await trail.row(f"late{number}", after=20_000)
        if not found.cursor:
            break
        cursor = [("_cursor", found.cursor)]

    assert sorted(seen) == sorted(
        f"r{number}-{place}" for number in range(5) for place in range(max(number, 1))
    )


async def test_a_cursor_is_of_one_caller_and_one_query(trail: Trail, signer: Signer) -> None:
    for id in ("a", "b"):
        await trail.row(id)
    found = await find(trail.store, AUDITOR, [("_count", "1")], 20, signer)

    for caller, params in ((PATIENT, [("_count", "1")]), (AUDITOR, [("_count", "2")])):
        with pytest.raises(BadRequest):
            await find(trail.store, caller, [*params, ("_cursor", found.cursor)], 20, signer)


async def test_a_page_names_the_patients_that_it_tells_of(trail: Trail, signer: Signer) -> None:
    await trail.row("a", patients=("p2", "p1"))
    await trail.row("b", patients=())

    assert (await find(trail.store, AUDITOR, [], 20, signer)).patients == ("p1", "p2")
    assert (await find(trail.store, PATIENT, [], 20, signer)).patients == ("p1",)


async def test_rows_about_a_patient_are_for_who_may_read_them(trail: Trail) -> None:
    await trail.row("a")
    await trail.row("b", after=1, patients=("p2",))

    assert [row.patients for row in await about(trail.store, AUDITOR, "p1")] == [("p1",)]
    assert len(await about(trail.store, PATIENT, "p1")) == 1
    with pytest.raises(Forbidden):
        await about(trail.store, PATIENT, "p2")
