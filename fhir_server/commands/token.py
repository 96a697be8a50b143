"""`fhir-hub token`: an operator's token for a user or a client; prints the token and
nothing else."""

import argparse
import asyncio
import secrets

from fhir_server.app import Parts
from fhir_server.audit.row import audit_write
from fhir_server.authz.scopes import parse
from fhir_server.commands.store import opened, positive
from fhir_server.errors import BadRequest, Unauthenticated
from fhir_server.identity import accounts, tokens
from fhir_server.identity.authenticate import operator
from fhir_server.identity.issue import Wish, issue
from fhir_server.identity.sessions import LEVELS
from fhir_server.model import Key


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("token", help="print a token", description=__doc__)
    parser.add_argument("--store", help="sqlite:///PATH or mongodb://HOSTS/DATABASE")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="NAME", help="the login that the token acts as")
    who.add_argument("--client", metavar="NAME", help="the client that the token acts as")
    parser.add_argument("--scope", help='SMART scopes, for instance "user/Observation.rs"')
    parser.add_argument("--patient", metavar="ID", help="bind the token to this patient")
    parser.add_argument(
        "--role", metavar="ID", help="the PractitionerRole, where there are several"
    )
    parser.add_argument("--minutes", type=positive, help="how long it holds (60)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Issue the token."""
    print(asyncio.run(_run(args)))
    return 0


async def _run(args: argparse.Namespace) -> str:
    async with opened(args.store) as parts:
        now = parts.server.clock()
        wish = await wished(parts, args)
        text, write = await issue(parts.store, wish, now, secrets.token_bytes(tokens.SECRET_BYTES))
        caller = operator(now, parts.server.new_id())
        row = audit_write(
            caller,
            interaction="token",
            type="token",
            id=args.user or args.client,
            query=" ".join(map(str, wish.scopes)),
            status=201,
            patients=(args.patient,) if args.patient else (),
        )
        await parts.store.commit([write, row])
        try:
            await parts.server.callers.authenticate(text, now, caller.request)
        except Unauthenticated:
            raise BadRequest(
                f"Nobody could use this token: {args.user or args.client!r} is locked, "
                "or its role or institution is not active."
            ) from None
        return text


async def wished(parts: Parts, args: argparse.Namespace) -> Wish:
    """Return what the command line asks for. Raises `BadRequest` where it names nobody."""
    level = "system" if args.client else "user"
    if args.user:
        account = accounts.read(await parts.store.read(accounts.key(args.user)))
        if account is None:
            raise BadRequest(f"There is no user {args.user!r}; `fhir-hub user list` names them.")
        level = LEVELS.get(account.kind, "user")
    if args.patient and await parts.store.read(Key("Patient", args.patient)) is None:
        raise BadRequest(f"There is no Patient/{args.patient}.")
    types = parts.server.definitions.resource_types
    return Wish(
        scopes=parse(args.scope or f"{level}/*.cruds", types),
        minutes=args.minutes or parts.server.settings.token_minutes,
        account=args.user or "",
        client=args.client or "",
        role=args.role or "",
        patient=args.patient or "",
    )
