"""Logins: passwords are counted, sessions are tokens, forms carry a word of their session."""

import asyncio
from dataclasses import replace

import pytest

from fhir_server.errors import BadRequest, Unauthenticated
from fhir_server.identity import accounts, sessions
from fhir_server.identity.accounts import FIRST_WAIT, FREE_TRIES, LONGEST_WAIT, Account
from fhir_server.identity.passwords import Passwords
from tests.unit.identity.conftest import LIU, NOW, City

pytestmark = pytest.mark.anyio


@pytest.fixture
async def liu(city: City, passwords: Passwords) -> Account:
    account = replace(LIU, password=await passwords.hash("right"))
    await city.put(accounts.write(account))
    return account


async def test_the_right_password_opens_a_session(
    city: City, passwords: Passwords, liu: Account
) -> None:
    account = await sessions.check(city.store, passwords, " LIU", "right", NOW)
    cookie = await sessions.begin(city.store, account, "", NOW, 5, b"s" * 32)

    caller = await city.callers.authenticate(cookie, NOW + 299_999, "q")
    assert (caller.account, caller.role) == ("liu", "r1")
    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(cookie, NOW + 300_000, "q")


@pytest.mark.parametrize(("login", "password"), [("liu", "wrong"), ("nobody", "x"), ("wang", "")])
async def test_wrong_logins_have_one_answer(
    city: City, passwords: Passwords, liu: Account, login: str, password: str
) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await sessions.check(city.store, passwords, login, password, NOW)

    assert "login or the password" in str(refusal.value)


async def try_wrong(city: City, passwords: Passwords, times: int, now: int = NOW) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            await sessions.check(city.store, passwords, "liu", "wrong", now)


async def test_after_five_wrong_passwords_the_right_one_must_wait(
    city: City, passwords: Passwords, liu: Account
) -> None:
    await try_wrong(city, passwords, FREE_TRIES)

    with pytest.raises(Unauthenticated):
        await sessions.check(city.store, passwords, "liu", "right", NOW + FIRST_WAIT - 1)
    assert await sessions.check(city.store, passwords, "liu", "right", NOW + FIRST_WAIT)
    assert await sessions.check(city.store, passwords, "liu", "right", NOW)


async def test_tries_at_the_same_moment_are_counted(
    city: City, passwords: Passwords, liu: Account
) -> None:
    await asyncio.gather(*(try_wrong(city, passwords, 1) for _ in range(3)))
    kept = accounts.read(await city.store.read(accounts.key("liu")))

    assert kept is not None
    assert kept.failed >= 1


def test_each_further_wait_is_twice_as_long_up_to_a_limit() -> None:
    account, waits = Account("a", "staff"), []
    for _ in range(FREE_TRIES + 8):
        account = accounts.after_failure(account, 0)
        waits.append(account.locked)

    assert waits[: FREE_TRIES - 1] == [0] * (FREE_TRIES - 1)
    assert waits[FREE_TRIES - 1 : FREE_TRIES + 2] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT


async def test_a_session_needs_a_role_of_the_account(city: City, liu: Account) -> None:
    for account, role in ((liu, "r2"), (replace(liu, roles=("r1", "r2")), "")):
        with pytest.raises(Unauthenticated):
            await sessions.begin(city.store, account, role, NOW, 5, b"s" * 32)


async def test_an_ended_session_is_worth_nothing(city: City, liu: Account) -> None:
    cookie = await sessions.begin(city.store, liu, "r1", NOW, 5, b"s" * 32)
    await sessions.end(city.store, cookie)

    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(cookie, NOW, "q")


def test_a_word_of_another_session_or_key_is_refused() -> None:
    word = sessions.csrf(b"key", "session")

    assert sessions.is_csrf(b"key", "session", word)
    assert not sessions.is_csrf(b"key", "other", word)
    assert not sessions.is_csrf(b"other", "session", word)
    assert not sessions.is_csrf(b"key", "session", "é")


def test_a_cookie_is_bound_to_the_host_where_there_is_tls() -> None:
    assert sessions.Cookie(secure=True).name.startswith("__Host-")
    assert sessions.Cookie(secure=False).http_only


@pytest.mark.parametrize("login", ["", "a b", "../x", "Ä", "A"])
def test_a_login_is_plain(login: str) -> None:
    with pytest.raises(BadRequest):
        accounts.write(Account(login, "staff"))


def test_an_account_shows_no_hash() -> None:
    assert "argon" not in repr(replace(LIU, password="$argon2id$x"))
