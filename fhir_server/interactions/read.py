"""FHIR read interaction, conditional read with it. https://hl7.org/fhir/R4/http.html#read"""

import re
from email.utils import parsedate_to_datetime

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import NotFound
from fhir_server.interactions.definitions import operation_definition
from fhir_server.interactions.find import find, living
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import shown
from fhir_server.interactions.server import Server
from fhir_server.interactions.subset import PARAMS, Subset, reduced, single
from fhir_server.model import Version

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


async def read(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with the latest version. Raises `NotFound`, `Gone`."""
    refuse_all(ask, PARAMS)
    subset = single(server.definitions, ask)
    found = await find(server, caller, ask.key)
    if found is None and ask.type == "OperationDefinition":
        return _made(server, ask, subset)
    version = living(found, ask.key)
    if _is_known(ask, version):
        return Reply(
            304, vid=version.vid, updated=version.updated, key=ask.key, patients=version.patients
        )
    return shown(version, subset.content(server.definitions))


def _made(server: Server, ask: Interaction, subset: Subset) -> Reply:
    """Return the definition of an operation that is routed. Raises `NotFound`."""
    made = operation_definition(server, ask.id)
    if made is None:
        raise NotFound(f"There is no {ask.key}.")
    if not subset.is_whole:
        made = reduced(server.definitions, subset, made)
    return Reply(200, fhirjson.encode(made), key=ask.key)


def _is_known(ask: Interaction, version: Version) -> bool:
    """Return whether the client has this version already; If-None-Match goes before the date."""
    if ask.if_none_match:
        tags = _TAG.findall(ask.if_none_match)
        return str(version.vid) in tags or ask.if_none_match.strip() == "*"
    if ask.if_modified_since:
        try:
            since = parsedate_to_datetime(ask.if_modified_since).timestamp()
        except ValueError:
            return False
        return version.updated // 1000 <= since
    return False
