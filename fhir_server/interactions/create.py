"""FHIR create interaction, conditional create with it. https://hl7.org/fhir/R4/http.html#create"""

from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.interactions.commit import commit, persist
from fhir_server.interactions.criteria import matching, refuse_several
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import unchanged, written
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import decode, draft, prepare
from fhir_server.model import Key


async def create(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Write a new resource under an id of the hub's own.

    With If-None-Exist: one match is the answer, several are a 412, and no other request can create a
    match in between.
    """
    refuse_all(ask)
    allowed(caller, ask.type, "create")

    async def attempt() -> Reply:
        unless = None
        if ask.if_none_exist:
            query, found = await matching(server, caller, ask, ask.if_none_exist)
            refuse_several(found, ask.if_none_exist)
            if found:
                return unchanged(found[0], ask)
            unless = query
        resource = decode(ask, ask.body)
        made = draft(server, caller, ask, Key(ask.type, server.new_id()), resource, ask.body, None)
        made = replace(made, write=replace(made.write, unless=unless))
        writes = await prepare(server, caller, made, "create")
        version = (await commit(server, caller, ask, writes, 201))[0]
        return written(version, ask, created=True)

    return await persist(attempt, ask)
