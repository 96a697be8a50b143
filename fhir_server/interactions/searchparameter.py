"""The write rule of SearchParameter: what is active is searched by from the next write on.

https://hl7.org/fhir/R4/searchparameter.html; `search.defined` has the rules.
"""

from collections.abc import Sequence

from conformance.definitions import Definitions
from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import AUTHORIZING
from fhir_server.errors import Conflict, Unprocessable
from fhir_server.interactions.index import indexing_writes, read_indexing
from fhir_server.interactions.server import Change, Server
from fhir_server.model import Write
from fhir_server.search.defined import Defined, Known, defined, types_of
from fhir_server.search.indexing import Indexing


async def searchparameter_rule(server: Server, caller: Caller, change: Change) -> Sequence[Write]:
    """Return the writes of what is indexed once a SearchParameter comes, changes or goes.

    Raises `Unprocessable` for one that cannot be searched by, `Conflict` for one that an active
    composite has as a part.
    """
    version, indexing = await read_indexing(server.store)
    id = change.key.id
    before = indexing.by_id(id)
    wanted = _wanted(server, indexing, change)
    if wanted == before:
        return ()
    official = server.index.official
    made = indexing.exchanged(id, wanted, official)
    if before is not None:
        _refuse_missing(official, made, (before, wanted))
    return indexing_writes(made, version.vid if version else 0)


def _wanted(server: Server, indexing: Indexing, change: Change) -> Defined | None:
    resource = change.after
    if resource is None or resource.get("status") != "active":
        return None
    if problems := server.validator.validate(resource, "structure", warnings=False):
        raise Unprocessable(*problems)
    official = server.index.official
    known = Known(official, indexing.without(change.key.id).definitions(official), AUTHORIZING)
    found = defined(known, {**resource, "id": change.key.id})
    if isinstance(found, list):
        raise Unprocessable(*found)
    return found


def _refuse_missing(
    official: Definitions, made: Indexing, change: tuple[Defined, Defined | None]
) -> None:
    """Raise `Conflict` where a composite would lose a part, or find another kind there."""
    before, wanted = change
    old, new = before.parameter, wanted.parameter if wanted else None
    if new is not None and (new.code, new.type, new.base) == (old.code, old.type, old.base):
        return
    types = set(types_of(official, old.base))
    for each in made.parameters:
        codes = {code for code, _ in each.parameter.components}
        if old.code in codes and not types.isdisjoint(types_of(official, each.parameter.base)):
            raise Conflict(f"SearchParameter/{each.id} has {old.code} as a part; change it first.")
