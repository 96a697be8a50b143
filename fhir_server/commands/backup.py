"""`fhir-hub backup`: write all that a store holds into one file, while hubs go on using it."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from fhir_server.app import milliseconds
from fhir_server.commands.carrying import fill, key_of, settled, tell
from fhir_server.commands.progress import apace
from fhir_server.commands.store import demand
from fhir_server.interactions.capabilities import hub_version
from fhir_server.settings import load
from fhir_server.store.archive import Archive, fresh, write
from fhir_server.store.open import open_store


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("backup", help="write a store to a file", description=__doc__)
    parser.add_argument("file", type=Path, help="the archive to be made")
    parser.add_argument("--store", help="sqlite:///PATH or mongodb://HOSTS/DATABASE")
    parser.add_argument(
        "--verify", action="store_true", help="restore it for a trial beside it, and check that"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Back up; return 1 where a trial restore is not sound."""
    return asyncio.run(_run(args.file, args.store, args.verify))


async def _run(path: Path, url: str | None, verify: bool) -> int:
    settings = load(store=url)
    demand(settings.store)
    key = key_of(settings)
    if key is None:
        print(
            "WARNING: FHIR_HUB_BACKUP_KEY is not set: the archive is not encrypted, and holds all "
            "records, password hashes and the site's key.",
            file=sys.stderr,
        )
    store = open_store(settings.store, milliseconds)
    try:
        with fresh(path) as file:
            async with settled(store):
                lines = apace(store.export(), "backup")
                manifest = await write(file, lines, key, milliseconds(), hub_version())
    finally:
        await store.close()
    tell(manifest)
    return await _tried(Archive(path, key)) if verify else 0


async def _tried(archive: Archive) -> int:
    """Restore an archive into a store that is thrown away."""
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=archive.path.parent) as folder:
        return await fill(archive, f"sqlite:///{folder}/hub.db", "verify")
