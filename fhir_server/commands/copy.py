"""`fhir-hub copy`: carry a store, with its whole history, to an empty one of either kind."""

import argparse
import asyncio

from fhir_server.app import milliseconds
from fhir_server.commands.carrying import fill, settled
from fhir_server.commands.store import demand
from fhir_server.store.open import open_store


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("copy", help="carry a store to another one", description=__doc__)
    parser.add_argument("--from", dest="source", required=True, metavar="URL", help="a store")
    parser.add_argument("--to", dest="target", required=True, metavar="URL", help="an empty one")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Copy; return 1 where the source went on meanwhile or the copy is not sound."""
    return asyncio.run(_run(args.source, args.target))


async def _run(source_url: str, target_url: str) -> int:
    demand(source_url)
    if target_url.startswith("memory:"):
        raise ValueError("memory:// ends with its process; copy to a store that lasts")
    source = open_store(source_url, milliseconds)
    try:
        async with settled(source):
            return await fill(source, target_url, "copy")
    finally:
        await source.close()
