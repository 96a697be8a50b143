"""`$document`: a Composition and what it refers to, as one Bundle.

https://hl7.org/fhir/R4/composition-operation-document.html,
https://hl7.org/fhir/R4/documents.html#content

1. First the Composition, then what it refers to, each once, in the order in which it is named.
2. What the Composition itself refers to must be there: a record that is absent, or hidden from the
   caller, or on another server, is a 422 with its place.
3. What those refer to is followed as far as it is there, and in the compartment of the same
   patient or of nobody.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest, NotAllowed, NotSupported, Unprocessable
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.create import create
from fhir_server.interactions.find import find, living
from fhir_server.interactions.interaction import Interaction, Params, Reply
from fhir_server.interactions.routes import ID
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.model import Key, Version
from fhir_server.operations.parameters import flag, once, texts
from fhir_server.operations.referred import references, seen
from fhir_server.search.reference import taken_apart

_PARAMETERS = (
    Parameter("id", "in", 0, "1", "uri", "Which Composition, where it is not in the address."),
    Parameter("persist", "in", 0, "1", "boolean", "Whether the document is stored as a Bundle."),
    Parameter("return", "out", 1, "1", "Bundle", "The document."),
)

Json = dict[str, Any]


async def document(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with the document of a Composition; with `persist`, it is stored first.

    Raises `NotFound`, `Gone`, `Unprocessable` for what is referred to and not there, `NotAllowed`
    for a GET that would store, `Forbidden` for a caller who may not create Bundles.
    """
    given = texts(ask)
    key = _key(ask, given)
    persist = flag("persist", given)
    if persist and ask.safe:
        raise NotAllowed("persist=true stores the document: POST is for it.")
    composition = living(await find(server, caller, key), key)
    versions = await _gathered(server, caller, ask, composition)
    told = concerned(each.patients for each in versions)
    body = _bundle(server, caller, ask, versions)
    if not persist:
        return Reply(200, body, patients=told)
    stored = await create(server, caller, _storing(ask, body))
    return replace(stored, status=200, patients=told, audited=False)


def _storing(ask: Interaction, body: bytes) -> Interaction:
    return Interaction(
        "create", "Bundle", body=body, base=ask.base, query=ask.query, returns="representation"
    )


def _key(ask: Interaction, given: Params) -> Key:
    """Return which Composition is meant. Raises `BadRequest`, `NotSupported`."""
    known = {each.name for each in _PARAMETERS if each.use == "in"}
    if once("graph", given):
        raise NotSupported("graph is not supported: the document holds all that is referred to.")
    if ask.strict and (unknown := [name for name, _ in given if name not in known]):
        raise BadRequest(*(f"$document has no parameter {name[:64]!r}." for name in unknown))
    id = once("id", given)
    if ask.id:
        if id:
            raise BadRequest("id is not for a Composition that the address names.")
        return ask.key
    if not id:
        raise BadRequest("$document needs the id of a Composition.")
    literal = taken_apart(id, ask.base)[0].removeprefix("Composition/")
    if not ID.fullmatch(literal):
        raise NotSupported(f"{id[:100]!r} is no Composition of this hub.")
    return Key("Composition", literal)


async def _gathered(
    server: Server, caller: Caller, ask: Interaction, composition: Version
) -> list[Version]:
    """Return what the document holds, the Composition first. Raises `Unprocessable`."""
    breath = Breath(server.settings.request_seconds)
    bases = {base for base in (ask.base, server.settings.base_url) if base}
    named = dict(_named(server, fhirjson.resource(composition), ask.base))
    wanted = list(dict.fromkeys(named.values()))
    there = {each.key: each for each in await seen(server, caller, wanted, breath)}
    _demand(named, there)
    found = {composition.key: composition}
    own = frozenset(composition.patients)
    while wanted:
        fresh = [there[key] for key in wanted if key in there and key not in found]
        found |= {each.key: each for each in fresh}
        if len(found) > server.settings.entry_limit:
            words = f"The document has more than {server.settings.entry_limit} entries."
            raise Unprocessable(Issue("too-costly", words))
        after = (key for each in fresh for key in references(server, each, bases))
        wanted = [key for key in dict.fromkeys(after) if key not in found]
        seen_now = await seen(server, caller, wanted, breath)
        there = {each.key: each for each in seen_now if own.issuperset(each.patients)}
    return list(found.values())


def _demand(named: dict[str, Key], there: dict[Key, Version]) -> None:
    lacking = [
        Issue("not-found", f"There is no {key}, which the document must hold.", place)
        for place, key in named.items()
        if key not in there
    ]
    if lacking:
        raise Unprocessable(*lacking)


def _named(server: Server, composition: Json, base: str) -> Iterator[tuple[str, Key]]:
    """Yield the places of a Composition's references, and what they point to.

    Raises `Unprocessable` for a reference to another server.
    """
    for place, text in _references(composition, "Composition"):
        type, _, id = taken_apart(text, base)[0].partition("/")
        if text.startswith("#") or place.startswith("Composition.relatesTo"):
            continue
        if not ID.fullmatch(id) or not server.definitions.is_resource_type(type):
            words = f"{text[:200]!r} is not on this hub, and the document must hold it."
            raise Unprocessable(Issue("not-found", words, place))
        yield place, Key(type, id)


def _references(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for number, each in enumerate(node):
            yield from _references(each, f"{place}[{number}]")
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "reference" and isinstance(value, str):
                yield f"{place}.reference", value
            elif name != "contained":
                yield from _references(value, f"{place}.{name}")


def _bundle(server: Server, caller: Caller, ask: Interaction, versions: list[Version]) -> bytes:
    """Return the document.

    "The identifier and the timestamp" are of this assembly: a document is assembled once.
    """
    identity = uuid5(NAMESPACE_URL, f"{ask.base}/{versions[0].key}/{server.new_id()}")
    head = {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": identity.urn},
        "type": "document",
        "timestamp": fhirjson.instant(caller.now),
    }
    entries = b",".join(
        b'{"fullUrl":'
        + fhirjson.encode(f"{ask.base}/{each.key}")
        + b',"resource":'
        + fhirjson.whole(each)
        + b"}"
        for each in versions
    )
    return fhirjson.encode(head)[:-1] + b',"entry":[' + entries + b"]}"


DOCUMENT = tuple(
    OperationDefinition("document", ("Composition",), level, document, parameters=_PARAMETERS)
    for level in ("type", "instance")
)
"""For `Server.operations`."""
