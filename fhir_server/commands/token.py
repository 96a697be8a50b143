"""`fhir-hub token`: an operator's token for a user or a client; prints the token and
nothing else."""

import argparse
import asyncio
import secrets

from fhir_server.app import Parts
from fhir_server.audit.row import audit_write
from fhir_server.authz.scopes import Scope, parse
from fhir_server.commands.store import opened
from fhir_server.errors import BadRequest
from fhir_server.identity import accounts, clients, tokens
from fhir_server.identity.authenticate import authenticate, operator
from fhir_server.identity.sessions import LEVELS
from fhir_server.identity.tokens import Token


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("token", help="print a token", description=__doc__)
    parser.add_argument("--store", help="sqlite:///PATH")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="NAME", help="the login that the token acts as")
    who.add_argument("--client", metavar="NAME", help="the client that the token acts as")
    parser.add_argument("--scope", help='SMART scopes, for instance "user/Observation.rs"')
    parser.add_argument("--patient", metavar="ID", help="bind the token to this patient")
    parser.add_argument(
        "--role", metavar="ID", help="the PractitionerRole, where there are several"
    )
    parser.add_argument("--minutes", type=int, help="how long it holds (60)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Issue the token."""
    print(asyncio.run(_run(args)))
    return 0


async def _run(args: argparse.Namespace) -> str:
    async with opened(args.store) as parts:
        made = await describe(parts, args)
        text, write = tokens.issue(made, secrets.token_bytes(tokens.SECRET_BYTES))
        caller = operator(made.issued, parts.server.new_id())
        row = audit_write(
            caller,
            interaction="token",
            type="token",
            id=args.user or args.client,
            query=" ".join(map(str, made.scopes)),
            status=201,
            patients=(args.patient,) if args.patient else (),
        )
        await parts.store.commit([write, row])
        await authenticate(parts.store, text, made.issued, caller.request)
        return text


async def describe(parts: Parts, args: argparse.Namespace) -> Token:
    """Return the token that the command line asks for. Raises `BadRequest` where it cannot be."""
    now = parts.server.clock()
    minutes = args.minutes or parts.server.settings.token_minutes
    types = parts.server.definitions.resource_types
    until = now + minutes * 60_000
    if args.client:
        if clients.read(await parts.store.read(clients.key(args.client))) is None:
            raise BadRequest(f"There is no client {args.client!r}.")
        scopes = parse(args.scope, types) if args.scope else (Scope("system", "*", "cruds"),)
        return Token("bearer", now, until, client=args.client, scopes=scopes)
    account = accounts.read(await parts.store.read(accounts.key(args.user)))
    if account is None:
        raise BadRequest(f"There is no user {args.user!r}; `fhir-hub user list` names them.")
    level = LEVELS.get(account.kind, "user")
    scopes = parse(args.scope, types) if args.scope else (Scope(level, "*", "cruds"),)
    role = args.role or (account.roles[0] if account.roles else "")
    if args.role and args.role not in account.roles:
        raise BadRequest(f"{args.user!r} has no role {args.role!r}; it has {list(account.roles)}.")
    return Token(
        "bearer", now, until, account=account.login, role=role, patient=args.patient or "",
        scopes=scopes,
    )  # fmt: skip
