"""AuditEvents are read and searched as resources are; they are rendered from the trail, never
written.

https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fhir_server import fhirjson
from fhir_server.audit import search as audit
from fhir_server.authz.caller import Caller
from fhir_server.errors import NotAllowed, NotFound, NotSupported
from fhir_server.interactions.bundle import bundle
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import PARAMS, Subset, asked, reduced, single

_WRITES = frozenset({"create", "update", "patch", "delete"})


async def trail(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer a read or a search of AuditEvent. Raises `NotAllowed` for a write."""
    if ask.name == "read":
        return await _read(server, caller, ask)
    if ask.name == "search-type":
        return await _search(server, caller, ask)
    if ask.name in _WRITES:
        raise NotAllowed("The hub alone writes AuditEvents.")
    raise NotSupported(f"{ask.name} of AuditEvent is not supported; read and search are.")


async def _read(server: Server, caller: Caller, ask: Interaction) -> Reply:
    refuse_all(ask, PARAMS)
    subset = single(server.definitions, ask)
    event = await audit.read(server.store, caller, ask.id)
    if event is None:
        raise NotFound(f"There is no {ask.key}.")
    return Reply(200, fhirjson.encode(_shown(server, subset, event)), key=ask.key, vid=1)


async def _search(server: Server, caller: Caller, ask: Interaction) -> Reply:
    subset = asked(server.definitions, ask)
    criteria = [pair for pair in ask.params if pair[0] not in PARAMS]
    shaping = [pair for pair in ask.params if pair[0] in PARAMS]
    if subset.summary == "count":
        total, used = await audit.count(server.store, caller, criteria)
        links = [("self", _url(ask, [*used, *shaping]))]
        return Reply(200, bundle("searchset", (), links=links, total=total))
    found = await audit.find(server.store, caller, criteria, server.settings.page, server.signer)
    pairs = [*found.used, *shaping]
    here = [pair for pair in ask.params if pair[0] == "_cursor"]
    links = [("self", _url(ask, [*pairs, *here])), ("first", _url(ask, pairs))]
    if found.cursor:
        links.append(("next", _url(ask, [*pairs, ("_cursor", found.cursor)])))
    entries = [
        fhirjson.encode(
            {
                "fullUrl": f"{ask.base}/{ask.type}/{event['id']}",
                "resource": _shown(server, subset, event),
                "search": {"mode": "match"},
            }
        )
        for event in found.events
    ]
    return Reply(200, bundle("searchset", entries, links=links), patients=found.patients)


def _shown(server: Server, subset: Subset, event: dict[str, Any]) -> dict[str, Any]:
    return event if subset.is_whole else reduced(server.definitions, subset, event)


def _url(ask: Interaction, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{ask.base}/{ask.type}" + (f"?{urlencode(pairs)}" if pairs else "")
