"""The collections of the store, with how they are read and written."""

from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from fhir_server.store.mongo.bodies import Bodies
from fhir_server.store.mongo.names import Names

Client = AsyncMongoClient[dict[str, Any]]
Collection = AsyncCollection[dict[str, Any]]

DURABLE = WriteConcern("majority", j=True, wtimeout=10_000)
CERTAIN = ReadConcern("majority")
"""What is read is on most members, so no election takes it back."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that the parts of the store have in common."""

    client: Client
    database: AsyncDatabase[dict[str, Any]]
    records: Collection
    versions: Collection
    patients: Collection
    commits: Collection
    claims: Collection
    stamps: Collection
    meta: Collection
    bodies: Bodies
    names: Names


def tables(client: Client, database_name: str) -> Tables:
    """Return the collections of the database that the client's URL names, or of `database_name`."""
    database = client.get_default_database(
        database_name, write_concern=DURABLE, read_concern=CERTAIN
    )
    return Tables(
        client,
        database,
        database["record"],
        database["version"],
        database["patient"],
        database["commit"],
        database["claim"],
        database["stamp"],
        database["meta"],
        Bodies(database["chunk"]),
        Names(database["patient"]),
    )
