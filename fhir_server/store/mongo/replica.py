"""A replica set is needed, since only it has transactions. https://www.mongodb.com/docs/manual/replication/

1. A server that has one, or a router of a sharded cluster, is taken as it is; so is what DNS names
   (`mongodb+srv://`).
2. Servers that were started for one (`--replSet`) and have none yet are initiated: all that the URL
   names become its members.
3. A stand-alone server is refused, with the remedy.
4. The primary is asked for everything: the next request sees what the one before it wrote.
"""

from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

WAIT_MS = 30_000
NEWEST: Mapping[str, Any] = {"readPreference": "primary"}
"""Options of a client, whatever the URL says: a secondary may not know yet what was taken back."""
_PROBE_MS = 5_000
_ALREADY = 23  # the code of "already initialized"

STAND_ALONE = (
    "{host} is a stand-alone MongoDB server, which has no transactions. Restart it with the option "
    "--replSet rs0 (in mongod.conf: replication.replSetName: rs0); the hub does the rest at its "
    "next start. The data stays."
)

Hello = dict[str, Any]


def ensure(url: str) -> None:
    """See to it that the URL leads to a replica set, and initiate one if there is none yet.

    Raises ValueError in words for the operator.
    """
    if url.startswith("mongodb+srv:"):
        return
    try:
        parsed = parse_uri(url)
    except (ConfigurationError, ValueError) as fault:
        raise ValueError(f"The store's URL cannot be read: {fault}") from None
    seeds = [f"{host}:{port}" for host, port in parsed["nodelist"]]
    found: dict[str, Hello] = {}
    for seed in seeds:
        hello = _hello(url, seed)
        if hello is not None and _is_ready(hello):
            return
        if hello is not None:
            found[seed] = hello
    if not found:
        raise ValueError(f"No MongoDB server answers at {', '.join(seeds)}")
    for seed, hello in found.items():
        if not hello.get("isreplicaset"):
            raise ValueError(STAND_ALONE.format(host=seed))
    _initiate(url, seeds, parsed["options"].get("replicaset"))


def client(url: str) -> MongoClient[dict[str, Any]]:
    """Return a client that waits, for what is done before the store is opened."""
    return MongoClient(url, serverSelectionTimeoutMS=WAIT_MS, **NEWEST)


def _is_ready(hello: Hello) -> bool:
    return "setName" in hello or hello.get("msg") == "isdbgrid"


def _hello(url: str, seed: str) -> Hello | None:
    try:
        with _direct(url, seed) as client:
            return client.admin.command("hello")
    except PyMongoError:
        return None


def _direct(url: str, seed: str) -> MongoClient[Hello]:
    """Return a client of one server alone, with the URL's credentials and options."""
    return MongoClient(alone(url, seed), directConnection=True, serverSelectionTimeoutMS=_PROBE_MS)


def alone(url: str, seed: str) -> str:
    """Return the URL with one server in the place of all.

    >>> alone("mongodb://me:secret@a,b/hub?replicaSet=rs0&tls=true", "b:27017")
    'mongodb://me:secret@b:27017/hub?tls=true'
    """
    rest, _, query = url.partition("://")[2].partition("?")
    hosts, slash, database = rest.partition("/")
    user, at, _ = hosts.rpartition("@")
    unfit = ("replicaset=", "directconnection=")
    kept = [o for o in query.split("&") if o and not o.lower().startswith(unfit)]
    options = f"?{'&'.join(kept)}" if kept else ""
    return f"mongodb://{user}{at}{seed}{slash or '/'}{database}{options}"


def _initiate(url: str, seeds: list[str], name: str | None) -> None:
    members = [{"_id": place, "host": seed} for place, seed in enumerate(seeds)]
    try:
        with _direct(url, seeds[0]) as client:
            set_name = name or _configured(client)
            client.admin.command("replSetInitiate", {"_id": set_name, "members": members})
    except OperationFailure as fault:
        if fault.code != _ALREADY:
            raise ValueError(f"The replica set cannot be initiated: {fault}") from None
    except PyMongoError as fault:
        raise ValueError(f"The replica set cannot be initiated: {fault}") from None


def _configured(client: MongoClient[Hello]) -> str:
    """Return the name of the set that the server was started for."""
    options = client.admin.command("getCmdLineOpts")["parsed"]["replication"]
    return str(options.get("replSetName") or options["replSet"])
