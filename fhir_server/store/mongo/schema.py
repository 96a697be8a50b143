"""The collections of the store's database, and how it is made ready.

| collection | a document for each | `_id` |
|---|---|---|
| `record` | key: its latest version, and what it is found by | `Type/id` |
| `version` | older version | `{k: Type/id, v: vid}` |
| `chunk` | megabyte of a long body | its SHA-256 |
| `patient` | patient, as a number (`n`) | the patient's id |
| `commit` | transaction: what it wrote, for the change feed | its tick |
| `claim` | what two commits must not both take for absent | see `claims` |
| `stamp` | value of which something that permits others has changed: its `tick` | see `stamps` |
| `meta` | single fact: schema, feed, number of processes, who writes | its name |

A `record`:

| field | what |
|---|---|
| `t` | type; a tombstone has none, so no index finds it |
| `n` | number of the record |
| `pid`, `pids` | number of its patient (0: nobody, -1: several), those of all its patients |
| `e` | index entries `{p: param, v, w, u}` |
| `k` | contained resources: type `t`, the references `r` that name it, its own `e` and `c` |
| `c` | composites `{p: param, a: [{v, w, u}], b: […]}`, one a group |
| | (in both, what the contained resource `#1` says has `p: "#param", x: "#1"`) |
| `words`, `text` | what full text finds it by (`text`) |
| `lo`, `hi` | lowest and highest value of the type's main date (`sorting.MAIN`) |
| `vid`, `at`, `method` | version, last updated, how it was written |
| `auth`, `who` | entries for authorization, ids of its patients |
| `body` or `chunks` | the bytes, or the chunks that they are in |
| `tick` | when it was written, in the order that all hosts agree on |
| `h` | type, of tombstones too: the past is found by it |

A `version` has the last five, and `r`, when it was replaced.
"""

from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from fhir_server.store.filling import occupied, unfinished
from fhir_server.store.migration import foreign
from fhir_server.store.mongo import replica

SCHEMA = 2
"""Raised together with a new entry in `migrations.MIGRATIONS`. Collections and indexes need none:
they are made at every start."""
DATABASE = "hub"
FILLING = "filling"
"""The document in `meta` of a store into which a restore or a copy has not ended."""
CLAIM_SECONDS = 3600

_EXISTS = 48
_WITH_WORDS = {"words": {"$exists": True}}
_COMPRESSED = {"wiredTiger": {"configString": "block_compressor=zstd"}}


def _index(*fields: str, **options: Any) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], **options)


INDEXES: dict[str, tuple[IndexModel, ...]] = {
    "record": (
        _index("t", "e.p", "e.v", "pid", "n", "e.w", name="value"),
        _index("t", "c.p", "c.a.v", "pid", "n", name="composite"),
        _index("t", "pid", "n", name="type"),
        _index("t", "pids", "pid", "n", name="patients"),
        _index("t", "at", "pid", "n", name="updated"),
        _index("t", "lo", "pid", "n", name="lowest"),
        _index("t", "hi", "pid", "n", name="highest"),
        _index("t", "words", "pid", "n", name="words", partialFilterExpression=_WITH_WORDS),
        _index("h", "at", "tick", name="past"),
    ),
    "version": (_index("h", "at", "tick", name="past"),),
    "chunk": (),
    "patient": (),
    "commit": (_index("z", "_id", name="feed"),),
    "claim": (_index("at", name="expiry", expireAfterSeconds=CLAIM_SECONDS),),
    "stamp": (),
    "meta": (),
}


def prepare(url: str, *, fill: bool = False) -> int:
    """Make the database ready and return this process's number.

    To `fill` it, it must be empty or being filled, which others are refused until that has ended.

    Raises ValueError, in words for the operator, for a server that cannot keep the store.
    """
    replica.ensure(url)
    try:
        with replica.client(url) as client:
            return _prepare(client.get_default_database(DATABASE), fill)
    except PyMongoError as fault:
        raise ValueError(f"The MongoDB store cannot be made ready: {fault}") from None


def _prepare(database: Database[dict[str, Any]], fill: bool) -> int:
    meta = database["meta"]
    kept = meta.find_one({"_id": "schema"})
    if kept is not None and kept["value"] != SCHEMA:
        raise foreign(f"The database {database.name}", kept["value"], SCHEMA)
    there = set(database.list_collection_names())
    for name, indexes in INDEXES.items():
        if name not in there:
            _create(database, name)
        if indexes:
            database[name].create_indexes(list(indexes))
    _fill_or_refuse(database, fill)
    meta.update_one({"_id": "schema"}, {"$setOnInsert": {"value": SCHEMA}}, upsert=True)
    meta.update_one({"_id": "feed"}, {"$setOnInsert": {"value": 0}}, upsert=True)
    counted = meta.find_one_and_update(
        {"_id": "processes"},
        {"$inc": {"value": 1}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert counted is not None
    return int(counted["value"])


def _fill_or_refuse(database: Database[dict[str, Any]], fill: bool) -> None:
    begun = database["meta"].find_one({"_id": FILLING})
    if begun and not fill:
        raise unfinished(f"The database {database.name}")
    if fill and not begun:
        if database["record"].find_one({}, {"_id": 1}):
            raise occupied(f"The database {database.name}")
        database["meta"].insert_one({"_id": FILLING})


def _create(database: Database[dict[str, Any]], name: str) -> None:
    try:
        database.create_collection(name, storageEngine=_COMPRESSED, check_exists=False)
    except OperationFailure as fault:
        if fault.code != _EXISTS:  # another process may be faster
            raise
