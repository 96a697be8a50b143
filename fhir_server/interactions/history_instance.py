"""FHIR history interaction of one resource. https://hl7.org/fhir/R4/http.html#history"""

from urllib.parse import urlencode

from fhir_server.authz.caller import Caller
from fhir_server.authz.single import permits
from fhir_server.errors import BadRequest, NotFound, NotSupported
from fhir_server.interactions.bundle import bundle, past
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.server import Server
from fhir_server.model import Version
from fhir_server.search.tree import Node

_KNOWN = ("_count", "_cursor")
_LATER = ("_since", "_at", "_list", "_sort")


async def history_instance(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with the versions that the caller may see, newest first, deletions among them."""
    for name, _ in ask.params:
        if name in _LATER:
            raise NotSupported(f"{name} is not supported for history yet.")
    refuse_all(ask, _KNOWN)
    where = allowed(caller, ask.type, "history").where
    latest = await server.store.read(ask.key)
    if latest is None or not await permits(server.store, caller, where, latest):
        raise NotFound(f"There is no {ask.key}.")
    given = dict(ask.params)
    count = _count(server, given.get("_count"))
    bind = f"history {ask.key} {caller.account} {caller.role}"
    before = server.signer.open(given["_cursor"], bind)[0] if "_cursor" in given else None
    versions, following = await _page(server, caller, ask, where, count, before)
    here = f"{ask.base}/{ask.key}/_history"
    links = [("self", here + (f"?{ask.query}" if ask.query else ""))]
    if following is not None:
        cursor = server.signer.seal((following,), bind)
        links.append(("next", f"{here}?{urlencode({'_count': count, '_cursor': cursor})}"))
    body = bundle("history", (past(ask.base, version) for version in versions), links=links)
    return Reply(200, body, patients=concerned(version.patients for version in versions))


async def _page(
    server: Server, caller: Caller, ask: Interaction, where: Node, count: int, before: int | None
) -> tuple[list[Version], int | None]:
    """Return visible versions, at most `count`, and the vid below which the next page starts."""
    seen: list[Version] = []
    while True:
        versions = await server.store.history(ask.key, count + 1, before)
        for version in versions:
            if not await permits(server.store, caller, where, version):
                continue
            if len(seen) == count:
                return seen, seen[-1].vid
            seen.append(version)
        if len(versions) <= count:
            return seen, None
        before = versions[-1].vid


def _count(server: Server, given: str | None) -> int:
    if given is None:
        return server.settings.page
    if not given.isdecimal() or len(given) > 9 or int(given) == 0:
        raise BadRequest(f"_count is {given[:20]!r}; a number above 0 is expected.")
    return min(int(given), server.settings.page_limit)
