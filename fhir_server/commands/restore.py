"""`fhir-hub restore`: fill an empty store, of either kind, from an archive."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from fhir_server.commands.carrying import fill, key_of, tell
from fhir_server.settings import load
from fhir_server.store.archive import Archive


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("restore", help="fill a store from a file", description=__doc__)
    parser.add_argument("file", type=Path, help="what `fhir-hub backup` wrote")
    parser.add_argument("--store", help="sqlite:///PATH or mongodb://HOSTS/DATABASE, empty")
    parser.add_argument("--dry-run", action="store_true", help="read and verify the archive only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Restore; return 1 where the store is not sound."""
    return asyncio.run(_run(args.file, args.store, args.dry_run))


async def _run(path: Path, url: str | None, dry: bool) -> int:
    settings = load(store=url)
    archive = Archive(path, key_of(settings))
    made = datetime.fromtimestamp(archive.header.made / 1000, UTC)
    print(f"Made {made:%Y-%m-%d %H:%M:%S} UTC by fhir-hub {archive.header.hub}.", flush=True)
    if dry:
        tell(await archive.manifest())
        return 0
    if settings.store.startswith("memory:"):
        raise ValueError("memory:// ends with its process; restore into a store that lasts")
    return await fill(archive, settings.store, "restore")
