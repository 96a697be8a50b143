"""Which types a search looks at, and what holds of the records of each that the caller may find.

https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/compartmentdefinition.html

| path | types | below a compartment |
|---|---|---|
| `Type` | this one | |
| (none) | those of `_type`, or all | |
| `Patient/1/Type` | this one | must be one of the compartment's |
| `Patient/1/*` | those of `_type`, or all of the compartment's | |

Types that the caller may not search are as if empty, where several are looked at. AuditEvents are
rendered from the trail, not stored: they are searched by themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import visible
from fhir_server.errors import BadRequest, NotFound
from fhir_server.interactions.find import allowed, find, living
from fhir_server.interactions.interaction import Interaction, Params
from fhir_server.interactions.server import Server
from fhir_server.model import Key
from fhir_server.search.alternatives import anyone, cond
from fhir_server.search.tree import NOTHING, Ids, InPatient, Node, both, either

TRAIL = "AuditEvent"


@dataclass(frozen=True, slots=True)
class Reach:
    """The types that were asked for, in order, and the predicate of those that may be searched.

    `place` is what stands behind the base in links, `used` the parameters that were followed here,
    `params` those that are left.
    """

    place: str
    types: tuple[str, ...]
    where: Mapping[str, Node]
    used: Params
    params: Params


async def reach(server: Server, caller: Caller, ask: Interaction) -> Reach:
    """Return what a search reaches.

    Raises `Forbidden` where the one type may not be searched, `NotFound` for a compartment whose
    resource is hidden or not there, `BadRequest` for a type outside of it.
    """
    used = tuple(pair for pair in ask.params if pair[0] == "_type")
    params = tuple(pair for pair in ask.params if pair[0] != "_type")
    types = _types(server, ask, [text for _, text in used])
    if ask.type in types:
        where = {ask.type: allowed(caller, ask.type, "search").where}
    else:
        where = {type: visible(caller, type) for type in types}
    place = ask.type
    if ask.compartment is not None:
        place = f"{ask.compartment}/{ask.type}"
        living(await find(server, caller, ask.compartment), ask.compartment)
        inside = {type: inside_of(server, ask.compartment, type) for type in where}
        where = {type: both(node, inside[type]) for type, node in where.items()}
    found = {type: node for type, node in where.items() if node != NOTHING}
    return Reach(place, types, found, used, params)


def to_trail(server: Server, ask: Interaction) -> Interaction | None:
    """Return the search of AuditEvents that a search is, if it is one. Raises `BadRequest`.

    >>> to_trail(NotImplemented, Interaction("search-system", params=(("_type", "Patient"),)))
    """
    named = [text for name, text in ask.params if name == "_type"]
    if ask.type != TRAIL and (ask.type not in ("", "*") or named != [TRAIL]):
        return None
    params = tuple(pair for pair in ask.params if pair[0] != "_type")
    if ask.compartment is not None:
        _check(ask, _known(server, ask), (TRAIL,))
        codes = server.definitions.compartment(ask.compartment.type)[TRAIL]
        params = (*params, (codes[0], str(ask.compartment)))
    return replace(ask, name="search-type", type=TRAIL, compartment=None, params=params)


def inside_of(server: Server, compartment: Key, type: str) -> Node:
    """Return what holds of the records of a type in a compartment.

    Patients' are indexed as such; of others a record is in when one of the parameters of the
    CompartmentDefinition refers to its resource, which is itself in its own.
    """
    if compartment.type == "Patient":
        return InPatient(compartment.id)
    codes = server.definitions.compartment(compartment.type).get(type, ())
    refers = (anyone(code, [cond("v", "=", str(compartment))]) for code in codes)
    itself = Ids(frozenset((compartment.id,))) if type == compartment.type else NOTHING
    return either(itself, *refers)


def _types(server: Server, ask: Interaction, named: list[str]) -> tuple[str, ...]:
    """Return the types that are asked for. Raises `BadRequest`."""
    known = _known(server, ask)
    if ask.type and ask.type != "*":
        _check(ask, known, (ask.type,))
        if named and named != [ask.type]:
            raise BadRequest(f"_type: a search of {ask.type} finds nothing else.")
        return (ask.type,)
    if not named:
        return tuple(sorted(known - {TRAIL}))
    if len(named) > 1:
        raise BadRequest("_type is given twice; name all types in one, with commas between them.")
    types = tuple(dict.fromkeys(named[0].split(",")))
    for type in types:
        if not server.definitions.is_resource_type(type):
            raise BadRequest(f"_type: there is no resource type {type[:64]!r}.")
    _check(ask, known, types)
    if TRAIL in types and len(types) > 1:
        raise BadRequest(f"_type: {TRAIL} is searched by itself.")
    return types


def _known(server: Server, ask: Interaction) -> frozenset[str]:
    if ask.compartment is None:
        return server.definitions.resource_types
    name = ask.compartment.type
    try:
        return frozenset((*server.definitions.compartment(name), name))
    except KeyError:
        raise NotFound(f"A {name} has no compartment.") from None


def _check(ask: Interaction, known: frozenset[str], types: tuple[str, ...]) -> None:
    for type in types:
        if type not in known and ask.compartment is not None:
            raise BadRequest(f"{type} is never in the compartment of a {ask.compartment.type}.")
