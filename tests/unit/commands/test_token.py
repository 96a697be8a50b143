"""`fhir-hub token`: an operator's token, and nothing else, on standard output."""

import asyncio

import pytest

from fhir_server.commands.store import opened


async def caller_of(store, text):
    async with opened(store) as parts:
        return await parts.server.callers.authenticate(text, parts.server.clock(), "request")


async def audited(store):
    async with opened(store) as parts:
        return [kept.body async for kept in parts.store.scan("audit")]


def test_a_token_acts_as_its_user(run, city):
    """The token is the only thing printed, and is the user's with these scopes."""
    told = run("token", "--store", city, "--user", "east-gp", "--scope", "user/Observation.rs")

    caller = asyncio.run(caller_of(city, told.out.removesuffix("\n")))
    assert (told.status, told.err) == (0, "")
    assert (caller.account, caller.role) == ("east-gp", "role-east-gp")
    assert [str(scope) for scope in caller.scopes] == ["user/Observation.rs"]


def test_a_token_of_a_client_acts_for_its_institution(run, city):
    """A client's token has system scopes and its institution."""
    told = run("token", "--store", city, "--client", "hospital-his")

    caller = asyncio.run(caller_of(city, told.out.strip()))
    assert (caller.kind, caller.organization) == ("feed", "hospital")


def test_issuing_is_audited(run, city):
    """The audit trail tells that a token was issued, to whom, and never the token."""
    text = run("token", "--store", city, "--user", "lab").out.strip()

    rows = asyncio.run(audited(city))
    assert [row for row in rows if b'"token"' in row and b'"lab"' in row]
    assert not [row for row in rows if text.encode() in row]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--user", "nobody"), "There is no user 'nobody'"),
        (("--client", "nobody"), "There is no client 'nobody'"),
        (("--user", "lab", "--scope", "everything"), "'everything' is no scope"),
        (("--user", "lab", "--scope", "user/Nonsense.r"), "names no resource type"),
        (("--user", "lab", "--scope", "system/*.r"), "system/ scopes are for clients"),
        (("--user", "lab", "--scope", "patient/*.r"), "patient/ scopes need a patient"),
        (("--user", "lab", "--patient", "nobody"), "There is no Patient/nobody"),
        (("--user", "lab", "--role", "role-east-gp"), "Choose a role of lab: role-lab"),
    ],
)
def test_what_nobody_could_use_is_refused(run, city, words, expected):
    """A token that would not work is refused in words, and none is printed."""
    told = run("token", "--store", city, *words)

    assert (told.status, told.out) == (1, "")
    assert expected in told.err


@pytest.mark.parametrize("minutes", ["0", "-5", "soon"])
def test_a_token_holds_for_a_while(run, minutes):
    """Minutes are a whole number above 0."""
    assert run("token", "--user", "lab", f"--minutes={minutes}").status == 2
