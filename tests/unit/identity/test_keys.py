"""Ids, secrets and the site's key."""

import asyncio
import re
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.identity import clients, tokens
from fhir_server.identity.clients import Client
from fhir_server.identity.ids import keyed_id
from fhir_server.identity.site import derived, site_key
from fhir_server.identity.tokens import Token
from fhir_server.model import Key, Version
from fhir_server.store.memory import MemoryStore

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@given(st.text(), st.text(), st.text())
def test_a_keyed_id_is_a_fhir_id(type: str, system: str, value: str) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#id"""
    made = keyed_id(b"k" * 32, type, system, value)

    assert ID.fullmatch(made)
    assert len(made) == 32


def test_a_keyed_id_hangs_on_every_part_and_on_the_key() -> None:
    parts = [("P", "s", "v"), ("Q", "s", "v"), ("P", "t", "v"), ("P", "s", "w"), ("P", "sv", "")]
    made = {keyed_id(key, *part) for key in (b"k" * 32, b"l" * 32) for part in parts}

    assert len(made) == 10


class SlowStore(MemoryStore):
    """A store in which all who read at once have read before the first one writes."""

    async def read(self, key: Key, vid: int | None = None) -> Version | None:
        found = await super().read(key, vid)
        await asyncio.sleep(0)
        return found


@pytest.mark.anyio
async def test_processes_that_start_at_once_share_one_key() -> None:
    store = SlowStore(lambda: 0)
    numbers = count(1)

    keys = await asyncio.gather(
        *(site_key(store, "", lambda size: bytes([next(numbers)]) * size) for _ in range(5))
    )

    assert next(numbers) == 6
    assert set(keys) == {await site_key(store, "", lambda size: b"")}


@pytest.mark.anyio
async def test_a_key_that_is_given_is_used_and_must_be_long_enough() -> None:
    store = MemoryStore(lambda: 0)

    assert await site_key(store, "ab" * 16, lambda size: b"") == b"\xab" * 16
    for bad in ("ab" * 15, "xy" * 16):
        with pytest.raises(ValueError, match=r"site_key|hex"):
            await site_key(store, bad, lambda size: b"")


def test_a_key_for_one_purpose_tells_of_no_other() -> None:
    assert len({derived(b"k", "cursor"), derived(b"k", "csrf"), b"k"}) == 3


def test_a_clients_secret_is_kept_as_a_hash() -> None:
    client = Client("lis", "LIS", "hospital", clients.hashed("secret"))

    assert b"secret" not in (clients.write(client).body or b"").replace(b'"secret"', b"")
    assert clients.is_secret(client, "secret")
    assert not clients.is_secret(client, "Secret")
    assert not clients.is_secret(Client("lis", "LIS", "hospital"), "")


def test_a_token_needs_256_bits() -> None:
    with pytest.raises(ValueError, match="32"):
        tokens.issue(Token("bearer", 0, 1), b"short")


def test_a_token_is_url_safe() -> None:
    text, _ = tokens.issue(Token("bearer", 0, 1), bytes(range(223, 255)))

    assert re.fullmatch(r"hub_[A-Za-z0-9_-]{43}", text)
