"""`fhir-hub migrate`: bring a store to this version's schema; `--dry-run` only tells the steps."""

import argparse
import asyncio

from fhir_server.app import milliseconds
from fhir_server.commands.check import checked
from fhir_server.commands.store import demand
from fhir_server.settings import load
from fhir_server.store.migration import Step
from fhir_server.store.open import migrate, open_store


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("migrate", help="bring a store up to date", description=__doc__)
    parser.add_argument("--store", help="sqlite:///PATH or mongodb://HOSTS/DATABASE")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, only say what")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Migrate, then check; return 1 where something is wrong."""
    url = load(store=args.store).store
    demand(url)
    steps: list[Step] = []

    def tell(step: Step) -> None:
        steps.append(step)
        print(f"Schema {step.number}: {step.words} ({step.rows:,} rows)", flush=True)

    migrate(url, tell, dry=args.dry_run)
    if not steps:
        print("The store is up to date.")
    elif args.dry_run:
        print("Nothing was changed.")
    else:
        return asyncio.run(_check(url))
    return 0


async def _check(url: str) -> int:
    store = open_store(url, milliseconds)
    try:
        return await checked(store)
    finally:
        await store.close()
