"""AuditEvents are read and searched as resources are; they are rendered from the trail, never
written.

https://hl7.org/fhir/R4/auditevent.html
"""

from urllib.parse import urlencode

from fhir_server import fhirjson
from fhir_server.audit import search as audit
from fhir_server.authz.caller import Caller
from fhir_server.errors import NotAllowed, NotFound, NotSupported
from fhir_server.interactions.bundle import bundle
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.server import Server

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
    refuse_all(ask)
    event = await audit.read(server.store, caller, ask.id)
    if event is None:
        raise NotFound(f"There is no {ask.key}.")
    return Reply(200, fhirjson.encode(event), key=ask.key, vid=1)


async def _search(server: Server, caller: Caller, ask: Interaction) -> Reply:
    found = await audit.find(server.store, caller, ask.params, server.settings.page, server.signer)
    here = f"{ask.base}/AuditEvent"
    links = [("self", here + (f"?{urlencode(found.used)}" if found.used else ""))]
    if found.cursor:
        pairs = [*found.used, ("_cursor", found.cursor)]
        links.append(("next", f"{here}?{urlencode(pairs)}"))
    entries = [
        fhirjson.encode(
            {
                "fullUrl": f"{here}/{event['id']}",
                "resource": event,
                "search": {"mode": "match"},
            }
        )
        for event in found.events
    ]
    return Reply(200, bundle("searchset", entries, links=links), patients=found.patients)
