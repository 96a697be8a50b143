"""`$lastn`: the latest observations of each code.

https://hl7.org/fhir/R4/observation-operation-lastn.html

1. Any search parameters of Observation choose what is grouped; the caller's predicate is joined as
   in a search.
2. Observations are read latest first, some at a time. Where there are many, groups that are full
   are left out of what is asked for next, so that what is read grows with the groups.
3. What was left out may still tell that the codes of two groups mean the same: such observations,
   and no others of it, are asked for in the end.
"""

import re
from dataclasses import replace
from urllib.parse import urlencode

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict
from fhir_server.errors import BadRequest
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.bundle import bundle, found, outcome_entry
from fhir_server.interactions.commit import concerned
from fhir_server.interactions.criteria import asked
from fhir_server.interactions.find import allowed
from fhir_server.interactions.included import included, incomplete
from fhir_server.interactions.interaction import Interaction, Params, Reply
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.interactions.subset import Subset
from fhir_server.model import Query, Sort
from fhir_server.operations.indexed import demand_indexed
from fhir_server.operations.lastn_groups import Groups, linking, of_any
from fhir_server.operations.parameters import number, texts
from fhir_server.search.search import Search
from fhir_server.search.tree import Not, both

_FIRST, _MORE = 200, 1000
"""Observations of the first page, and of those after it."""
_MANY = 2000
"""From so many on, it costs less to ask which are not needed than to read them."""
_OF_SUBJECT = ("patient", "subject")
_NOT_HERE = ("_sort", "_count", "_cursor", "_total")


async def lastn(server: Server, caller: Caller, ask: Interaction) -> Reply:
    """Answer with the latest observations of each code that match, latest first.

    Raises `BadRequest` where neither a subject nor a kind of observation is named.
    """
    permitted = allowed(caller, "Observation", "search").where
    demand_indexed(server, {"Observation": ("code", "date", "subject")})
    given = texts(ask)
    most = number("max", given) or 1
    params = tuple(pair for pair in given if pair[0] != "max")
    _check(caller, params)
    search = await asked(server, caller, ask, "Observation", params)
    where = both(permitted, restrict(search.where, caller))
    query = Query("Observation", where, (Sort("date", True),), _FIRST, now=caller.now)
    groups = Groups(most, ask.base)
    await _gather(server, query, groups)
    return await _told(server, caller, ask, replace(search, used=given), groups)


def _check(caller: Caller, params: Params) -> None:
    names = {re.split(r"[:.]", name)[0] for name, _ in params}
    if not caller.patient and names.isdisjoint(_OF_SUBJECT):
        raise BadRequest("$lastn needs a patient or a subject.")
    if not any(name == "category" or "code" in name for name in names):
        raise BadRequest("$lastn needs a category or a code, such as category=vital-signs.")
    for name in sorted(names.intersection(_NOT_HERE)):
        raise BadRequest(f"$lastn has no {name}: it answers with `max` of each code, latest first.")


async def _gather(server: Server, query: Query, groups: Groups) -> None:
    """Take what matches, as far as that is needed."""
    breath = Breath(server.settings.request_seconds)
    rest, taken = query, 0
    while True:
        page = await server.store.search(rest)
        groups.take(page.versions)
        taken += len(page.versions)
        if page.next is None:
            break
        rest = replace(rest, after=page.next, limit=_MORE)
        if taken >= _MANY:
            groups.close()
            rest = replace(rest, where=both(query.where, Not(of_any(groups.closed()))))
        await breath.take()
    while closed := groups.closed():
        where = both(query.where, linking(closed))
        page = await server.store.search(replace(query, where=where, sort=()))
        if not page.versions:
            break
        groups.take(page.versions)
        await breath.take()


async def _told(
    server: Server, caller: Caller, ask: Interaction, search: Search, groups: Groups
) -> Reply:
    versions = groups.kept()
    links = [("self", f"{ask.base}/Observation/$lastn?{urlencode(search.used)}")]
    if search.summary == "count":
        return Reply(200, bundle("searchset", (), links=links, total=len(versions)))
    added = await included(server, caller, search, versions)
    content = Subset(search.summary, search.elements, "Observation").content(server.definitions)
    entries = [found(ask.base, each, "match", content) for each in versions]
    entries += [found(ask.base, each, "include", content) for each in added.versions]
    problems = search.problems + added.problems
    if added.next is not None:
        problems += (incomplete(server.settings.include_limit),)
    if problems:
        entries.append(outcome_entry(problems))
    return Reply(
        200,
        bundle("searchset", entries, links=links, total=len(versions)),
        patients=concerned(each.patients for each in (*versions, *added.versions)),
    )


LASTN = (
    OperationDefinition(
        "lastn",
        ("Observation",),
        "type",
        lastn,
        parameters=(
            Parameter("max", "in", 0, "1", "positiveInt", "Observations of each code; 1 without."),
            Parameter("return", "out", 1, "1", "Bundle", "A searchset, latest first."),
        ),
    ),
)
"""For `Server.operations`. Besides `max` it takes the search parameters of Observation."""
