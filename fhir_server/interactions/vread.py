"""FHIR vread interaction. https://hl7.org/fhir/R4/http.html#vread"""

from fhir_server.authz.caller import Caller
from fhir_server.errors import Gone, NotFound
from fhir_server.interactions.find import find
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import shown
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import PARAMS, single


async def vread(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with one version. Raises `NotFound`, and `Gone` where this version is the deletion."""
    refuse_all(ask, PARAMS)
    subset = single(server.definitions, ask)
    version = await find(server, caller, ask.key, "history", ask.vid)
    if version is None:
        raise NotFound(f"There is no {ask.key} with version {ask.vid}.")
    if version.body is None:
        raise Gone(f"{ask.key} was deleted in version {ask.vid}.")
    return shown(version, subset.content(server.definitions))
