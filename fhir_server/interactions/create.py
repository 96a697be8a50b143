"""FHIR create interaction, conditional create with it. https://hl7.org/fhir/R4/http.html#create"""

from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.interactions.commit import carry_out
from fhir_server.interactions.criteria import the_one
from fhir_server.interactions.find import allowed
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.params import refuse_all
from fhir_server.interactions.reply import unchanged
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import Draft, Plan, decode, drafted
from fhir_server.model import Query, Version
from fhir_server.search.tree import Ids


async def create(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Write a new resource under an id of the hub's own.

    With If-None-Exist: one match is the answer, several are a 412, and no other request can create
    a match in between.
    """
    return await carry_out(server, caller, ask, plan_create)


async def plan_create(server: Server, caller: Caller, ask: Interaction) -> Plan:
    """Return the draft of a new resource, or the answer that it exists."""
    query, existing = await look_for(server, caller, ask)
    if existing is not None:
        return unchanged(existing, ask)
    return await draft_new(server, caller, ask, server.new_id(), query)


async def look_for(
    server: Server, caller: Caller, ask: Interaction, without: Ids | None = None
) -> tuple[Query | None, Version | None]:
    """Return the query that If-None-Exist is (None: there is none), and what exists already."""
    refuse_all(ask)
    allowed(caller, ask.type, "create")
    if not ask.if_none_exist:
        return None, None
    return await the_one(server, caller, ask, ask.if_none_exist, without)


async def draft_new(
    server: Server, caller: Caller, ask: Interaction, id: str, unless: Query | None
) -> Draft:
    """Return the draft of a new resource; whatever id its body has is not heeded."""
    named = replace(ask, id=id)
    made = await drafted(server, caller, named, decode(ask, ask.body), ask.body, None)
    write = replace(made.write, method="POST", unless=unless)
    return replace(made, write=write)
