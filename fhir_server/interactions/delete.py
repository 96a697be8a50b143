"""FHIR delete interaction, conditional delete of one or many with it.

https://hl7.org/fhir/R4/http.html#delete
"""

from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.errors import PreconditionFailed
from fhir_server.interactions.commit import answer_deleted, commit, persist, unmoved
from fhir_server.interactions.criteria import matching
from fhir_server.interactions.find import allowed, find_changeable
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.pending import Pending
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import check_match
from fhir_server.interactions.write import Draft, approve, removal


async def delete(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Delete a resource, or all that match; their history stays.

    Deleting what is not there is not an error.
    """

    async def attempt() -> Reply:
        drafts = await plan_delete(server, caller, ask)
        if not drafts:
            return answer_deleted(ask, ())
        pending = Pending(server.store, caller.now)
        ahead = replace(server, store=pending)
        await pending.add(made.write for made in drafts)
        for made in drafts:
            await pending.add(await approve(ahead, caller, made))
        told = drafts[0].ask if len(drafts) == 1 else ask
        versions = await commit(server, caller, told, pending.writes, 204)
        return answer_deleted(ask, versions[: len(drafts)])

    return await persist(server, attempt, (ask.key,) if ask.id else ())


async def plan_delete(server: Server, caller: Caller, ask: Interaction) -> list[Draft]:
    """Return the drafts of the tombstones; none where there is nothing to delete."""
    if ask.id:
        refuse_all(ask)
        return await _removals(server, caller, ask, ask.id)
    allowed(caller, ask.type, "delete")
    most = server.settings.delete_limit
    found = await matching(server, caller, ask, ask.query, most=most)
    if len(found.versions) > most:
        raise PreconditionFailed(
            f"More than {most} records match {ask.query[:200]!r}; nothing was deleted."
        )
    settled = replace(ask, params=())
    drafts: list[Draft] = []
    for version in found.versions:
        for made in await _removals(server, caller, settled, version.key.id):
            unmoved(version, made.before)
            drafts.append(made)
    return drafts


async def _removals(server: Server, caller: Caller, ask: Interaction, id: str) -> list[Draft]:
    named = replace(ask, id=id)
    before = await find_changeable(server, caller, named.key, "delete")
    check_match(named, before)
    return [] if before is None or before.body is None else [removal(named, before)]
