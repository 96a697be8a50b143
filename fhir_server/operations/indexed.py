"""Operations ask by search parameters too: not by one that not all records are indexed by yet."""

from collections.abc import Iterable, Mapping

from fhir_server.errors import BeingIndexed
from fhir_server.interactions.server import Server


def demand_indexed(server: Server, codes: Mapping[str, Iterable[str]]) -> None:
    """Raise `BeingIndexed` where records of a type are being indexed by one of its parameters."""
    blocked = server.index.known.blocked
    for type, each in codes.items() if blocked else ():
        if found := sorted(set(each).intersection(blocked.get(type, ()))):
            words = f"{type} is being indexed by {', '.join(found)}: {server.index.told()}"
            raise BeingIndexed(words)
