"""`Patient/$match`: which stored patients are, or may be, the one who is described.

https://hl7.org/fhir/R4/patient-operation-match.html

1. Candidates are searched under the caller's predicate: by each identifier, and by name with birth
   date. What is not the caller's to see is no candidate.
2. A table of rules grades them (`match_grades`); who fits none is left out.
3. `onlyCertainMatches` answers with one certain match or with none.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest
from fhir_server.interactions.bundle import bundle, found, outcome_entry
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Params, Reply
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.model import Query, Version
from fhir_server.operations.indexed import demand_indexed
from fhir_server.operations.match_grades import Grade, Traits, grade, is_enough, resident_of, traits
from fhir_server.operations.parameters import flag, listed, number, simple
from fhir_server.operations.resident import spellings
from fhir_server.search import date
from fhir_server.search.terms import SHANGHAI
from fhir_server.search.tree import Cond, Match, Node, both

_CANDIDATES = 200
_USUAL = 20
_MOST_NUMBERS = 50
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"

Json = dict[str, Any]


class _Found(NamedTuple):
    """A candidate with its grade."""

    grade: Grade
    version: Version


async def match(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with the patients that match, the surest first. Raises `BadRequest`."""
    permitted = allowed(caller, "Patient", "search").where
    demand_indexed(server, {"Patient": ("birthdate", "identifier", "name")})
    patient, given = _read(ask)
    _check(server, patient)
    asked = traits(patient)
    if not is_enough(asked):
        raise BadRequest(
            Issue(
                "required",
                "A Patient needs an identifier with its system, or a name and a birth date.",
                "Parameters.parameter.where(name='resource').resource",
            )
        )
    only_certain, most = flag("onlyCertainMatches", given), number("count", given) or _USUAL
    graded: dict[str, _Found] = {}
    for where in _candidates(server, patient, asked):
        query = Query("Patient", both(permitted, where), limit=_CANDIDATES, now=caller.now)
        for version in (await server.store.search(query)).versions:
            how = grade(asked, traits(fhirjson.resource(version)))
            if how is not None:
                graded[version.key.id] = _Found(how, version)
    ordered = sorted(graded.values(), key=lambda each: (-each.grade.score, each.version.key))
    return _told(ask, ordered, only_certain, most)


def _read(ask: Interaction) -> tuple[Json, Params]:
    """Return the Patient that is described and the other parameters. Raises `BadRequest`."""
    body = fhirjson.decode(ask.body) if ask.body else None
    if not isinstance(body, dict):
        raise BadRequest("$match needs a Patient: POST it, or Parameters with it as resource.")
    if body.get("resourceType") == "Patient":
        return body, _known(ask.params)
    if body.get("resourceType") != "Parameters":
        raise BadRequest("The body is neither a Patient nor Parameters.")
    parts = listed(body)
    resources = [each.get("resource") for each in parts if each.get("name") == "resource"]
    others = [each for each in parts if each.get("name") != "resource"]
    if len(resources) != 1 or not isinstance(resources[0], dict):
        raise BadRequest("$match needs one parameter `resource`.")
    return resources[0], _known((*ask.params, *simple(others)))


def _check(server: Server, patient: Json) -> None:
    """ "… does not have to be complete …, but it does have to be a valid instance." """
    if patient.get("resourceType") != "Patient":
        raise BadRequest("The parameter `resource` is no Patient.")
    found = server.validator.validate(patient, "structure", (), warnings=False)
    if problems := [each for each in found if each.severity in ("error", "fatal")]:
        raise BadRequest(*problems)


def _known(given: Params) -> Params:
    for name, _ in given:
        if name not in ("onlyCertainMatches", "count"):
            raise BadRequest(f"$match has no parameter {name[:64]!r}.")
    return given


def _candidates(server: Server, patient: Json, asked: Traits) -> Iterator[Node]:
    """Yield the predicates of those who may match."""
    values: dict[str, set[str]] = {}
    if len(asked["number"]) > _MOST_NUMBERS:
        raise BadRequest(f"A Patient to match has at most {_MOST_NUMBERS} identifiers.")
    for each in sorted(asked["number"]):
        system, _, value = each.rpartition("|")
        known = resident_of({"system": system, "value": value})
        values.setdefault(system, set()).update(spellings(value) if known else (value,))
    for system, texts in values.items():
        yield Match("identifier", (Cond("v", "in", tuple(sorted(texts))), Cond("w", "=", system)))
    entries = server.extractor.entries({"resourceType": "Patient", "name": patient.get("name", [])})
    names = tuple(sorted({str(each.v) for each in entries if each.param == "name"}))
    for born in asked["birth"] if names else ():
        low, high = _span(born)
        span = (Cond("v", ">=", low), Cond("w", "<=", high))
        yield both(Match("birthdate", span), Match("name", (Cond("v", "in", names),)))


def _span(born: str) -> date.Span:
    try:
        return date.span(born, SHANGHAI)
    except ValueError:
        raise BadRequest(
            Issue("value", f"{born[:20]!r} is no date.", "Patient.birthDate")
        ) from None


def _told(ask: Interaction, matches: list[_Found], only_certain: bool, most: int) -> Reply:
    said: list[Issue] = []
    if only_certain:
        certain = [each for each in matches if each.grade.code == "certain"]
        if len(certain) != 1 and matches:
            said.append(_several(matches))
        matches = certain if len(certain) == 1 else []
    elif len(matches) > most:
        words = f"{len(matches)} patients match; the {most} surest are told."
        said.append(Issue("informational", words, "", "information"))
    told = matches[:most]
    entries = [_entry(ask.base, each) for each in told]
    if said:
        entries.append(outcome_entry(said))
    return Reply(
        200,
        bundle("searchset", entries, total=len(told)),
        patients=concerned(each.version.patients for each in told),
    )


def _several(matches: list[_Found]) -> Issue:
    words = f"{len(matches)} patients may match, and not one of them alone for certain."
    return Issue("multiple-matches", words, "", "information")


def _entry(base: str, of: _Found) -> bytes:
    extension = [{"url": _GRADE, "valueCode": of.grade.code}]
    return found(base, of.version, "match", more={"extension": extension, "score": of.grade.score})


MATCH = (
    OperationDefinition(
        "match",
        ("Patient",),
        "type",
        match,
        parameters=(
            Parameter("resource", "in", 1, "1", "Resource", "A Patient, or what is known of it."),
            Parameter("onlyCertainMatches", "in", 0, "1", "boolean", "One for certain, or none."),
            Parameter("count", "in", 0, "1", "integer", "Most patients that are told."),
            Parameter("return", "out", 1, "1", "Bundle", "The patients, the surest first."),
        ),
    ),
)
"""For `Server.operations`."""
