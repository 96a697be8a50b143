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
from fhir_server.identity.directory import role_of
from fhir_server.identity.passwords import Passwords
from fhir_server.model import Key, Version, Write

LEAST_LENGTH = 8
STORE = "sqlite:///PATH or mongodb://HOSTS/DATABASE"
KINDS = tuple(kind for kind in get_args(Kind) if kind not in ("open", "operator", "feed"))
"""Whom a login can be for: the others are callers without one."""


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("user", help="the logins of a store", description=__doc__)
    parser.add_argument("--store", help=STORE)
    store = argparse.ArgumentParser(add_help=False)  # --store may stand after the action too
    store.add_argument("--store", help=STORE, default=argparse.SUPPRESS)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list the logins", parents=[store])
    new = actions.add_parser(
        "add",
        help="add a login; the password is asked for, or read from a pipe",
        parents=[store],
    )
    new.add_argument("login")
    new.add_argument("--kind", choices=KINDS, default="staff")
    new.add_argument("--name", default="", help="the name that is shown")
    new.add_argument(
        "--person", default="", help="Practitioner/ID (known from --role) or Patient/ID"
    )
    new.add_argument(
        "--role", action="append", default=[], help="a PractitionerRole's id; repeatable"
    )
    for name, words in (
        ("lock", "let nobody in by this login any more"),
        ("unlock", "let this login in again"),
        ("password", "set a new password"),
    ):
        actions.add_parser(name, help=words, parents=[store]).add_argument("login")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    async with opened(args.store, fresh=args.action == "add") as parts:
        if args.action == "list":
            async for kept in parts.store.scan("account"):
                _show(accounts.read(kept))
            return 0
        if args.action == "add":
            await _add(parts, args)
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


async def _add(parts: Parts, args: argparse.Namespace) -> None:
    if accounts.read(await parts.store.read(accounts.key(args.login))) is not None:
        raise BadRequest(f"There is a user {args.login!r} already.")
    person = await person_of(parts, args)
    account = Account(args.login, args.kind, args.name, person, tuple(args.role))
    accounts.write(account)  # a login that is none is refused before a password is asked for
    account = replace(account, password=await _password())
    await _keep(parts, accounts.write(account, expect=0), "user-add", args.login)


async def person_of(parts: Parts, args: argparse.Namespace) -> str:
    """Return who the login is. Raises `BadRequest` where nobody could work with it."""
    person = str(args.person)
    if args.kind == "staff" and not args.role:
        raise BadRequest("A login of staff needs --role: what it may see follows from the role.")
    if args.kind == "patient" and not person.startswith("Patient/"):
        raise BadRequest("A patient's login needs --person Patient/ID.")
    for id in args.role:
        role = await role_of(parts.store, id, parts.server.clock())
        if role is None:
            raise BadRequest(f"There is no PractitionerRole/{id} that holds today.")
        person = person or role.practitioner
        if role.practitioner != person:
            raise BadRequest(f"PractitionerRole/{id} is of {role.practitioner}, not of {person}.")
    if person and await parts.store.read(Key(*person.partition("/")[::2])) is None:
        raise BadRequest(f"There is no {person}.")
    return person


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
