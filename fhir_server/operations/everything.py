"""`$everything`: a patient's record, or all that belongs to an encounter, in pages.

https://hl7.org/fhir/R4/patient-operation-everything.html,
https://hl7.org/fhir/R4/encounter-operation-everything.html

1. The members are the patient (the encounter) and its compartment; `start` and `end` bound them.
2. With them comes what they refer to. Of a patient: records of types that are in no compartment of
   a patient, and what these refer to. Of an encounter: the same, and records of its own patient,
   whose references are not followed.
3. `_since`, `_type` choose from the whole of that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, NotSupported
from fhir_server.interactions.bundle import bundle, found
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.find import allowed, find, living
from fhir_server.interactions.interaction import Interaction, Params, Reply
from fhir_server.interactions.reach import inside_of
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.operations.care_dates import CARE_DATE, within
from fhir_server.operations.indexed import demand_indexed
from fhir_server.operations.parameters import number, once, texts
from fhir_server.operations.record_page import Asked, Start, fill
from fhir_server.operations.referred import Keep
from fhir_server.search import date
from fhir_server.search.alternatives import cond
from fhir_server.search.terms import SHANGHAI
from fhir_server.search.tree import EVERYTHING, Ids, InPatient, Match, Node, both, either

_ELSEWHERE = "AuditEvent"
"""Rendered from the trail, and no records: they are searched by themselves."""


async def patient_everything(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with a patient's record, or those of all patients that the caller sees.

    Raises `NotFound`, `Gone`, `Forbidden`, and `BadRequest` for parameters.
    """
    if ask.id:
        living(await find(server, caller, ask.key), ask.key)
    else:
        allowed(caller, "Patient", "search")
    given = texts(ask)
    start, end = (_checked(name, once(name, given)) for name in ("start", "end"))
    compartment = server.definitions.compartment("Patient")
    types = ("Patient", *sorted(compartment.keys() - {"Patient", _ELSEWHERE}))
    if not ask.id:
        demand_indexed(server, compartment)
    if start or end:
        demand_indexed(server, {type: (code,) for type, code in CARE_DATE.items()})
    members = {
        type: both(_of_patients(compartment.get(type, ()), type, ask.id), within(type, start, end))
        for type in types
    }
    asked = _asked(server, ask, given, members, lambda each: each.key.type not in members)
    return await _answer(server, caller, ask, asked)


async def encounter_everything(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with an encounter and what belongs to it. Raises as that of a patient does."""
    encounter = living(await find(server, caller, ask.key), ask.key)
    given = texts(ask)
    compartment = server.definitions.compartment("Encounter")
    demand_indexed(server, compartment)
    types = ("Encounter", *sorted(compartment.keys() - {"Encounter"}))
    members = {type: inside_of(server, ask.key, type) for type in types}
    own = frozenset(encounter.patients)
    asked = _asked(server, ask, given, members, lambda each: own.issuperset(each.patients))
    return await _answer(server, caller, ask, asked)


def _of_patients(params: Iterable[str], type: str, id: str) -> Node:
    if id:
        return Ids(frozenset((id,))) if type == "Patient" else InPatient(id)
    if type == "Patient":
        return EVERYTHING
    return either(*(Match(param, cond("v", "prefix", "Patient/")) for param in params))


def _asked(
    server: Server, ask: Interaction, given: Params, members: Mapping[str, Node], keep: Keep
) -> Asked:
    """Return what is asked for; the cursor is still to be opened. Raises `BadRequest`."""
    known = {each.name for each in _PARAMETERS[ask.type]} | {"_cursor"}
    if ask.strict and (unknown := [name for name, _ in given if name not in known]):
        raise BadRequest(*(f"$everything has no parameter {name[:64]!r}." for name in unknown))
    since = _checked("_since", once("_since", given))
    limit = server.settings.page_limit
    return Asked(
        members=members,
        keep=keep,
        since=date.span(since, SHANGHAI)[0] if since else 0,
        types=_types(server, given),
        count=min(number("_count", given) or limit, limit),
        used=tuple(pair for pair in given if pair[0] in known and pair[0] != "_cursor"),
        cursor=once("_cursor", given),
    )


def _types(server: Server, given: Params) -> frozenset[str]:
    named = [each for name, text in given if name == "_type" for each in text.split(",")]
    for type in named:
        if not server.definitions.is_resource_type(type):
            raise BadRequest(f"_type: {type[:64]!r} is no type of resource.")
    if _ELSEWHERE in named:
        raise NotSupported(f"_type: an {_ELSEWHERE} is searched by itself.")
    return frozenset(named)


def _checked(name: str, text: str) -> str:
    try:
        if text:
            date.span(text, SHANGHAI)
    except ValueError:
        raise BadRequest(f"{name}={text[:64]}: expected a date or an instant.") from None
    return text


async def _answer(server: Server, caller: Caller, ask: Interaction, asked: Asked) -> Reply:
    bind = fhirjson.encode(
        [[str(ask.key), ask.operation, caller.account, caller.role, caller.patient], asked.used]
    ).decode()
    if asked.cursor:
        phase, type, rest = server.signer.open(asked.cursor, bind)
        asked = replace(asked, start=Start(phase, type, tuple(rest)))
    page = await fill(server, caller, ask, asked)
    links = [("self", _url(ask, asked, asked.cursor))]
    if page.next is not None:
        links.append(("next", _url(ask, asked, server.signer.seal(page.next, bind))))
    total = len(page.members) if page.next is None and not asked.cursor else None
    entries = [found(ask.base, each, "match") for each in page.members]
    entries += [found(ask.base, each, "include") for each in page.more]
    told = concerned(each.patients for each in (*page.members, *page.more))
    return Reply(200, bundle("searchset", entries, links=links, total=total), patients=told)


def _url(ask: Interaction, asked: Asked, cursor: str) -> str:
    pairs = [*asked.used, *([("_cursor", cursor)] if cursor else [])]
    place = f"{ask.key}" if ask.id else ask.type
    return f"{ask.base}/{place}/$everything" + (f"?{urlencode(pairs)}" if pairs else "")


_SINCE = Parameter("_since", "in", 0, "1", "instant", "Records that changed at or after it.")
_TYPE = Parameter("_type", "in", 0, "*", "code", "Types of records, by commas; all without it.")
_COUNT = Parameter("_count", "in", 0, "1", "integer", "Entries of a page.")
_START = Parameter("start", "in", 0, "1", "date", "Care on this date or later.")
_END = Parameter("end", "in", 0, "1", "date", "Care on this date or earlier.")
_RETURN = Parameter("return", "out", 1, "1", "Bundle", "A searchset, or a page of it.")

_PARAMETERS = {
    "Patient": (_START, _END, _SINCE, _TYPE, _COUNT, _RETURN),
    "Encounter": (_SINCE, _TYPE, _COUNT, _RETURN),
}

EVERYTHING_OF = (
    *(
        OperationDefinition(
            "everything",
            ("Patient",),
            level,
            patient_everything,
            parameters=_PARAMETERS["Patient"],
        )
        for level in ("type", "instance")
    ),
    OperationDefinition(
        "everything",
        ("Encounter",),
        "instance",
        encounter_everything,
        parameters=_PARAMETERS["Encounter"],
    ),
)
"""For `Server.operations`."""
