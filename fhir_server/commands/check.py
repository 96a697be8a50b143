"""`fhir-hub check`: look for inconsistencies in a store; exit 1 if there are any."""

import argparse
import asyncio

from fhir_server.app import milliseconds
from fhir_server.commands.store import demand
from fhir_server.settings import load
from fhir_server.store.open import open_store
from fhir_server.store.protocol import Maintenance


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("check", help="check a store", description=__doc__)
    parser.add_argument("--store", help="sqlite:///PATH or mongodb://HOSTS/DATABASE")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, tell, and return 1 where something is wrong."""
    return asyncio.run(_run(args.store))


async def _run(url: str | None) -> int:
    kept = load(store=url).store
    demand(kept)
    store = open_store(kept, milliseconds)
    try:
        stats = await store.stats()
        for type, count in sorted(stats.records.items()):
            print(f"{type:28} {count:>9,}")
        print(f"{'size':28} {stats.size:>9,} bytes")
        return await checked(store)
    finally:
        await store.close()


async def checked(store: Maintenance) -> int:
    """Check a store, tell what is wrong, and return the exit status."""
    problems = await store.check()
    for problem in problems:
        print(f"WRONG: {problem}")
    print(f"{len(problems)} problems." if problems else "The store is sound.")
    return 1 if problems else 0
