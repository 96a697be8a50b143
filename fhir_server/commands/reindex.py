"""`fhir-hub reindex`: index records again where search parameters changed, at full speed."""

import argparse
import asyncio
import sys

from fhir_server.app import Parts
from fhir_server.commands.store import opened
from fhir_server.interactions.index import read_indexing
from fhir_server.interactions.progress import Progress, read_progress
from fhir_server.interactions.reindex import again, reindex
from fhir_server.model import Query
from fhir_server.search.tree import EVERYTHING

_LOOKS_AFTER = 0.5


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("reindex", help="index records again", description=__doc__)
    parser.add_argument("--store", help="sqlite:///PATH or mongodb://HOSTS/DATABASE")
    parser.add_argument("--dry-run", action="store_true", help="tell what there is to do")
    parser.add_argument("--type", metavar="T", help="index this type again, whatever changed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it, or tell what would be done."""
    return asyncio.run(_run(args.store, args.type, args.dry_run))


async def _run(url: str | None, type_name: str | None, dry: bool) -> int:
    async with opened(url) as parts:
        if type_name and type_name not in parts.server.definitions.resource_types:
            raise ValueError(f"{type_name!r} is no type of resource")
        if type_name and not dry:
            await again(parts.server, type_name)
        await _tell(parts, type_name)
        if not dry:
            await _until_done(parts)
    return 0


async def _tell(parts: Parts, type_name: str | None) -> None:
    _, indexing = await read_indexing(parts.store)
    types = sorted({*indexing.work, *([type_name] if type_name else [])})
    for name in types:
        count = await parts.store.count(Query(name, EVERYTHING))
        codes = ", ".join(indexing.work[name].codes) if name in indexing.work else ""
        print(f"{name:28} {count:>9,} records  {codes}".rstrip())
    if not types:
        print("All records are indexed by the parameters that there are.")


async def _until_done(parts: Parts) -> None:
    owner = parts.server.new_id()
    while not await reindex(parts.server, parts.store, owner, told=_show):
        _, progress = await read_progress(parts.store)
        _show(progress)  # another process is at it
        await asyncio.sleep(_LOOKS_AFTER)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    print("Done.")


def _show(progress: Progress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{progress.type:28} {progress.done:>9,} of {progress.total:,} ")
        sys.stderr.flush()
