"""The records that others refer to, found in bytes and searched under the caller's predicate.

https://hl7.org/fhir/R4/references.html

1. A reference is looked for in the bytes that are stored: decoding a record costs ten times more.
2. One search a type and round, however many records are referred to; hidden records are absent.
3. What is followed further, the caller of this module says: a record of nobody's compartment is,
   one that belongs to some patient's is not, or one patient's record would draw in another's.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Deny, Verb, decide
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.find import find
from fhir_server.interactions.server import Server
from fhir_server.model import Key, Query, Version
from fhir_server.search.tree import Ids, both

_AT_ONCE = 500
_MOST_ROUNDS = 10

Keep = Callable[[Version], bool]


async def referred(
    server: Server,
    caller: Caller,
    bases: Collection[str],
    fresh: Iterable[Key],
    known: Collection[Key],
    keep: Keep,
) -> dict[Key, Version]:
    """Return those of the `fresh` records that the caller sees and that are to be kept.

    What those refer to that are in no patient's compartment is among them, and so on. `known`
    records are left out.
    """
    found: dict[Key, Version] = {}
    breath = Breath(server.settings.request_seconds)
    known, wanted = set(known), set(fresh)
    for _ in range(_MOST_ROUNDS):
        wanted -= known
        known |= wanted
        kept = [each for each in await seen(server, caller, wanted, breath) if keep(each)]
        found |= {each.key: each for each in kept}
        wanted = {
            key for each in kept if not each.patients for key in references(server, each, bases)
        }
        if wanted <= known:
            break
    return found


async def seen(
    server: Server, caller: Caller, keys: Iterable[Key], breath: Breath, verb: Verb = "search"
) -> list[Version]:
    """Return those of these records that are there for the caller, one search a type.

    A Binary is read by itself, since access to it may follow that to another record.
    """
    by_type: dict[str, list[str]] = {}
    for key in keys:
        by_type.setdefault(key.type, []).append(key.id)
    found: list[Version] = []
    for type, ids in by_type.items():
        decision = decide(caller, type, verb)
        if isinstance(decision, Deny) or not server.definitions.is_resource_type(type):
            continue
        if type == "Binary":
            found += [v for id in ids if (v := await _binary(server, caller, id)) is not None]
            continue
        for start in range(0, len(ids), _AT_ONCE):
            part = frozenset(ids[start : start + _AT_ONCE])
            where = both(decision.where, Ids(part))
            page = await server.store.search(Query(type, where, limit=len(part), now=caller.now))
            found += page.versions
            await breath.take()
    return found


async def _binary(server: Server, caller: Caller, id: str) -> Version | None:
    found = await find(server, caller, Key("Binary", id))
    return found if found is not None and found.body is not None else None


def references(server: Server, version: Version, bases: Collection[str]) -> Iterator[Key]:
    """Yield the keys that a record refers to, as `Type/id` or under one of the hub's own bases.

    Attachments that lie in a Binary are among them.
    """
    found = _pattern(frozenset(bases)).findall(version.body or b"")
    for kind, type, id in dict.fromkeys(found):
        name = type.decode()
        if server.definitions.is_resource_type(name) and (kind == b"reference" or name == "Binary"):
            yield Key(name, id.decode())


@lru_cache(maxsize=64)
def _pattern(bases: frozenset[str]) -> re.Pattern[bytes]:
    own = "|".join(re.escape(base).replace("/", r"\\?/") + r"\\?/" for base in sorted(bases))
    here = f"(?:{own})?" if own else ""
    version = r"(?:\\?/_history\\?/[A-Za-z0-9\-.]{1,64})?"
    literal = rf"([A-Z][A-Za-z]+)\\?/([A-Za-z0-9\-.]{{1,64}}){version}"
    return re.compile(rf'"(reference|url)"\s*:\s*"{here}{literal}"'.encode())
