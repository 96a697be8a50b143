"""`fhir-hub user`: the logins of a store: add, list, lock, unlock, password."""

import argparse
import asyncio
import getpass
import sys
from dataclasses import replace
from typing import get_args

from fhir_server.app import Parts
from fhir_server.audit.row import audit_write
from fhir_server.authz.caller import Kind
from fhir_server.commands.store import opened
from fhir_server.errors import BadRequest
from fhir_server.identity import accounts
from fhir_server.identity.accounts import Account
from fhir_server.identity.authenticate import operator
from fhir_server.identity.passwords import Passwords
from fhir_server.model import Version, Write

LEAST_LENGTH = 8


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("user", help="the logins of a store", description=__doc__)
    parser.add_argument("--store", help="sqlite:///PATH")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list the logins")
    new = actions.add_parser(
        "add", help="add a login; the password is asked for, or read from a pipe"
    )
    new.add_argument("login")
    new.add_argument("--kind", choices=get_args(Kind), default="staff")
    new.add_argument("--name", default="", help="the name that is shown")
    new.add_argument("--person", default="", help="Practitioner/ID or Patient/ID")
    new.add_argument(
        "--role", action="append", default=[], help="a PractitionerRole's id; repeatable"
    )
    for name, words in (
        ("lock", "let nobody in by this login any more"),
        ("unlock", "let this login in again"),
        ("password", "set a new password"),
    ):
        actions.add_parser(name, help=words).add_argument("login")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    async with opened(args.store) as parts:
        if args.action == "list":
            async for kept in parts.store.scan("account"):
                _show(accounts.read(kept))
            return 0
        if args.action == "add":
            account = Account(args.login, args.kind, args.name, args.person, tuple(args.role))
            account = replace(account, password=await _password())
            await _keep(parts, accounts.write(account, expect=0), "user-add", args.login)
            return 0
        version: Version | None = await parts.store.read(accounts.key(args.login))
        known = accounts.read(version)
        if known is None or version is None:
            raise BadRequest(f"There is no user {args.login!r}.")
        match args.action:
            case "lock":
                account = replace(known, active=False)
            case "unlock":
                account = replace(known, active=True, failed=0, locked=0)
            case _:
                account = replace(known, password=await _password())
        write = accounts.write(account, expect=version.vid)
        await _keep(parts, write, f"user-{args.action}", args.login)
    return 0


async def _keep(parts: Parts, write: Write, action: str, login: str) -> None:
    caller = operator(parts.server.clock(), parts.server.new_id())
    row = audit_write(
        caller, interaction=action, type="account", id=login, query="", status=200, patients=()
    )
    await parts.store.commit([write, row])
    print(f"{login}: done")


def _show(account: Account | None) -> None:
    if account is not None:
        state = "" if account.active else "  (locked)"
        roles = " ".join(account.roles) or account.person
        print(f"{account.login:20} {account.kind:10} {account.name:12} {roles}{state}")


async def _password() -> str:
    if sys.stdin.isatty():
        word = getpass.getpass("Password: ")
        if word != getpass.getpass("Again: "):
            raise BadRequest("The two passwords differ.")
    else:
        word = sys.stdin.readline().rstrip("\n")
    if len(word) < LEAST_LENGTH:
        raise BadRequest(f"A password has at least {LEAST_LENGTH} characters.")
    return await Passwords().hash(word)
