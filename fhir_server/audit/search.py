"""Read and search the trail as AuditEvents.

https://hl7.org/fhir/R4/auditevent.html#search

Who may is decided by `authz.decide`: an auditor everything, a patient what is about the own record.
A page is one of AuditEvents though rows are kept: a row about many patients may span pages.
"""

from dataclasses import dataclass, replace
from typing import Any

from fhir_server.audit import event, row
from fhir_server.audit.asked import Asked, Params, asked_by, narrowed
from fhir_server.audit.row import Row
from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Deny, Verb, decide
from fhir_server.errors import Forbidden
from fhir_server.model import Key, Query, Sort, Value, Version
from fhir_server.search.cursor import Signer
from fhir_server.search.terms import Terms
from fhir_server.search.tree import Cond, Match, OnlyPatients, both
from fhir_server.store.protocol import Store

Json = dict[str, Any]

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A page of AuditEvents, whom they are about, and the cursor of the next page (empty: none).

    `used` are the parameters that were followed, without the cursor: the self link.
    """

    events: tuple[Json, ...]
    patients: tuple[str, ...]
    cursor: str
    used: tuple[tuple[str, str], ...]


async def read(store: Store, caller: Caller, id: str) -> Json | None:
    """Return the AuditEvent; None if there is none, or not for this caller. Raises `Forbidden`."""
    bound = _bound(caller, "read")
    name = id.rpartition("-")[0]
    version = await store.read(Key("audit", name))
    if version is None or version.body is None:
        return None
    for made, patient in _of(version, row.read(version), whole=bound is None):
        if made["id"] == id and (bound is None or patient in bound):
            return made
    return None


async def find(store: Store, caller: Caller, params: Params, page: int, signer: Signer) -> Found:
    """Return a page of the AuditEvents that the parameters ask for, `page` of them by default.

    Raises `Forbidden`, and `BadRequest` for a parameter or a value that is not understood.
    """
    bound = _bound(caller, "search")
    asked = asked_by(params, Terms(now=caller.now, page=page))
    if bound is not None:
        asked = narrowed(asked, bound)
    bind = repr((caller.account, caller.role, caller.patient, asked.used))
    after: tuple[Value | None, ...] | None = None
    skip, until = 0, caller.now
    if asked.cursor:
        place, skip, until = signer.open(asked.cursor, bind)
        after = None if place is None else tuple(place)
    # Rows that are written while somebody turns pages come after `until`: nothing shifts.
    where = both(asked.where, Match("date", (Cond("v", "<", until),)))
    sort = (Sort("date", asked.descending),)
    query = Query("audit", where, sort, limit=asked.count, after=after, now=caller.now)
    rows = await store.search(query)
    whole = bound is None
    wanted = [pair for version in rows.versions for pair in _meant(asked, version, whole=whole)]
    shown = wanted[skip : skip + asked.count]
    cursor = ""
    if skip + len(shown) < len(wanted):
        cursor = signer.seal((after, skip + len(shown), until), bind)
    elif rows.next is not None:
        cursor = signer.seal((rows.next, 0, until), bind)
    return Found(
        tuple(made for made, _ in shown),
        tuple(sorted({patient for _, patient in shown if patient})),
        cursor,
        asked.used,
    )


async def count(
    store: Store, caller: Caller, params: Params
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Return how many AuditEvents the parameters ask for, and the parameters that were followed.

    Raises `Forbidden`, and `BadRequest` for a parameter or a value that is not understood.
    """
    bound = _bound(caller, "search")
    asked = asked_by(params, Terms(now=caller.now))
    if bound is not None:
        asked = narrowed(asked, bound)
    query = Query("audit", asked.where, limit=_AT_ONCE, now=caller.now)
    total = 0
    while True:
        rows = await store.search(query)
        total += sum(len(_meant(asked, version, whole=True)) for version in rows.versions)
        if rows.next is None:
            return total, asked.used
        query = replace(query, after=rows.next)


async def about(store: Store, caller: Caller, patient: str, limit: int = 500) -> list[Row]:
    """Return the latest rows about a patient, newest first. Raises `Forbidden`."""
    bound = _bound(caller, "search")
    if bound is not None and patient not in bound:
        raise Forbidden("A patient reads who looked at the own record alone.")
    where = Match("patient", (Cond("v", "=", patient),))
    query = Query("audit", where, (Sort("date", True),), limit=limit, now=caller.now)
    return [row.read(version) for version in (await store.search(query)).versions]


def _bound(caller: Caller, verb: Verb) -> frozenset[str] | None:
    """Return the patients whose trail the caller may read; None says everybody's."""
    decision = decide(caller, "AuditEvent", verb)
    if isinstance(decision, Deny):
        raise Forbidden(decision.reason)
    return decision.where.patients if isinstance(decision.where, OnlyPatients) else None


def _meant(asked: Asked, version: Version, *, whole: bool) -> list[tuple[Json, str]]:
    """Return the AuditEvents of a row that are asked for, each with the patient it is about."""
    told = row.read(version)
    return [
        pair
        for pair in _of(version, told, whole=whole)
        if asked.means(pair[0]["id"], told, pair[1])
    ]


def _of(version: Version, told: Row, *, whole: bool) -> list[tuple[Json, str]]:
    made = event.events(version.key.id, told, whole=whole)
    return list(zip(made, told.patients or ("",), strict=True))
