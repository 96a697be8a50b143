"""Databases of older schemas made fit for this version.

1. A step may be too long for a transaction: it can be done again from its start, and the new number
   is written after it. So a killed migration goes on when it is run again.
2. Hubs of the older version must be stopped before; the database cannot tell whether they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from fhir_server.store.migration import Step, Tell, ahead, foreign
from fhir_server.store.mongo import replica, schema

_Database = Database[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Migration:
    """A step: its number, what it does in words, how many documents it is about, and the work."""

    number: int
    words: str
    count: Callable[[_Database], int]
    work: Callable[[_Database], None]


def _nothing(database: _Database) -> None:
    """Change nothing: that the older hubs are stopped is all."""


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        2,
        "has grants written with stamps from now on, which older hubs do not leave",
        lambda database: database["record"].count_documents({"t": "grant"}),
        _nothing,
    ),
)


def migrate(url: str, tell: Tell, *, dry: bool) -> None:
    """Tell each step that a database still needs, and do it unless the run is `dry`.

    Raises ValueError, in words for the operator.
    """
    try:
        with replica.client(url) as client:
            database = client.get_default_database(schema.DATABASE)
            for migration in ahead(MIGRATIONS, _found(database), schema.SCHEMA):
                tell(Step(migration.number, migration.words, migration.count(database)))
                if not dry:
                    migration.work(database)
                    number = {"$set": {"value": migration.number}}
                    database["meta"].update_one({"_id": "schema"}, number)
    except PyMongoError as fault:
        raise ValueError(f"The database cannot be migrated now: {fault}") from None


def _found(database: _Database) -> int:
    kept = database["meta"].find_one({"_id": "schema"})
    if kept is None:
        raise ValueError(f"The database {database.name} is not a store of the hub")
    if kept["value"] > schema.SCHEMA:
        raise foreign(f"The database {database.name}", kept["value"], schema.SCHEMA)
    return int(kept["value"])
