"""`fhir-hub demo`: fill an empty store with the demo city, and with `--serve` serve it."""

import argparse
import asyncio
import secrets
import sys
from datetime import UTC, datetime

from fhir_server.app import Parts
from fhir_server.authz.scopes import Scope
from fhir_server.commands import serve
from fhir_server.commands.progress import progress
from fhir_server.commands.store import opened, positive
from fhir_server.demo.cast import USERS
from fhir_server.demo.seed import is_empty, seed
from fhir_server.identity import tokens
from fhir_server.identity.tokens import Token
from fhir_server.settings import Settings

DEMO_MINUTES = 24 * 60


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("demo", help="fill a store with the demo city", description=__doc__)
    serve.options(parser)
    parser.add_argument("--patients", type=positive, default=100, help="how many patients (100)")
    parser.add_argument("--serve", action="store_true", help="serve the store afterwards")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Seed where the store is empty, tell how to get in, and serve if asked."""
    settings = serve.settings_of(args)
    if settings.store.startswith("memory:"):
        raise ValueError("the demo city needs a store that outlives this step; memory:// does not")
    if args.serve:
        serve.preflight(settings)
    token = asyncio.run(_prepare(settings, args.patients, args.quiet))
    if not args.quiet:
        print(welcome(settings, token), flush=True)
    if args.serve:
        serve.serve(settings)
    return 0


async def _prepare(settings: Settings, patients: int, quiet: bool) -> str:
    async with opened(settings.store, fresh=True) as parts:
        if await is_empty(parts.server):
            count = await seed(
                parts.server, patients, datetime.now(UTC).date(),
                (lambda made: made) if quiet else (lambda made: progress(made, "demo city")),
            )  # fmt: skip
            if not quiet:
                print(f"The demo city: {patients} patients, {count:,} resources.", file=sys.stderr)
        return await _demo_token(parts)


async def _demo_token(parts: Parts) -> str:
    """Return a token of the hospital's cardiologist, for the curl line."""
    now = parts.server.clock()
    text, write = tokens.issue(
        Token(
            "bearer", now, now + DEMO_MINUTES * 60_000, account="cardiologist",
            role="role-cardiologist", scopes=(Scope("user", "*", "cruds"),),
        ),
        secrets.token_bytes(tokens.SECRET_BYTES),
    )  # fmt: skip
    await parts.store.commit([write])
    return text


def welcome(settings: Settings, token: str) -> str:
    """Return what a newcomer needs: addresses, users, a request that works as it stands."""
    base = f"http://{settings.host}:{settings.port}"
    users = "\n".join(f"  {u.login:15} {u.password:22} {u.name} ({u.role})" for u in USERS)
    return f"""
Pages   {base}/
FHIR    {base}/fhir
HL7 v2  {settings.mllp or "off"} (MLLP)

The demo's users, with their passwords (for this demonstration only):
{users}

A request that works as it stands (the hospital's cardiologist, for a day):
  curl -H "Authorization: Bearer {token}" \\
    "{base}/fhir/Observation?code=http://loinc.org|85354-9&_sort=-date&_count=2&_pretty=true"
"""
