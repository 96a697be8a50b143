"""FHIR delete interaction. https://hl7.org/fhir/R4/http.html#delete"""

from fhir_server.authz.caller import Caller
from fhir_server.interactions.commit import commit, persist
from fhir_server.interactions.find import find_changeable
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import check_match
from fhir_server.interactions.write import prepare, removal


async def delete(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Delete a resource; its history stays. Deleting what is not there is not an error."""
    refuse_all(ask)

    async def attempt() -> Reply:
        before = await find_changeable(server, caller, ask.key, "delete")
        check_match(ask, before)
        if before is None or before.body is None:
            return Reply(204)
        writes = await prepare(server, caller, removal(ask, before), "delete")
        gone = (await commit(server, caller, ask, writes, 204))[0]
        return Reply(204, vid=gone.vid, patients=before.patients, audited=True)

    return await persist(attempt, ask)
