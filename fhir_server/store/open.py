"""From a store's URL to the store."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fhir_server.store.memory import MemoryStore
from fhir_server.store.migration import Tell
from fhir_server.store.protocol import Maintenance, Store
from fhir_server.store.sqlite.store import SQLiteStore


class Kept(Store, Maintenance, Protocol):
    """A store with its operator's side, as every URL opens it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a query may take (seconds) before it is given up."""

    query_seconds: float = 10.0


_USUAL = Limits()


def open_store(
    url: str, clock: Callable[[], int], limits: Limits = _USUAL, *, fill: bool = False
) -> Kept:
    """Return the store that `url` names: `sqlite:///PATH` (four slashes: absolute),
    `mongodb://HOSTS/DATABASE` or `memory://`.

    `clock` gives milliseconds since 1970. One that is opened to `fill` it must be empty, or be so
    opened before, and nobody else can open it until `filled` says that it is whole. Raises
    ValueError for another URL, for a file that is not a store of this version, and for a MongoDB
    that cannot keep one.
    """
    scheme, _, path = url.partition("://")
    match scheme:
        case "memory" if not path:
            return MemoryStore(clock, limits.query_seconds)
        case "sqlite" if path.startswith("/") and len(path) > 1:
            return SQLiteStore(path[1:], clock, limits.query_seconds, fill=fill)
        case "mongodb" | "mongodb+srv":
            from fhir_server.store.mongo.store import MongoStore

            return MongoStore(url, clock, limits.query_seconds, fill=fill)
        case _:
            raise ValueError(
                f"{shown(url)!r} names no store; "
                "use sqlite:///PATH, mongodb://HOSTS/DATABASE or memory://"
            )


def migrate(url: str, tell: Tell, *, dry: bool) -> None:
    """Bring the store at `url` to this version's schema, telling each step before it is done.

    Nothing is changed in a `dry` run. Raises ValueError, in words for the operator.
    """
    scheme, _, path = url.partition("://")
    match scheme:
        case "sqlite" if path.startswith("/") and len(path) > 1:
            from fhir_server.store.sqlite import migrations as sqlite

            sqlite.migrate(path[1:], tell, dry=dry)
        case "mongodb" | "mongodb+srv":
            from fhir_server.store.mongo import migrations as mongo

            mongo.migrate(url, tell, dry=dry)
        case _:
            raise ValueError(f"{shown(url)!r} names no store that has a schema")


def shown(url: str) -> str:
    """Return a store's URL without the password that may stand in it.

    >>> shown("mongodb://me:secret@a,b/hub"), shown("memory://")
    ('mongodb://***@a,b/hub', 'memory://')
    """
    scheme, separator, rest = url.partition("://")
    _, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{'***@' if at else ''}{place}"
