"""Fixtures of the referral's tests."""

from collections.abc import AsyncIterator

import pytest
from referral_city import City


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def city(anyio_backend: str) -> City:
    """A city in which the hospital has recorded two patients."""
    made = City()
    await made.fill()
    return made


@pytest.fixture(params=["memory", "sqlite"])
async def kept(request: pytest.FixtureRequest, anyio_backend: str, tmp_path) -> AsyncIterator[City]:
    """The same city on each kind of store."""
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/hub.db"
    made = City(url)
    await made.fill()
    yield made
    await made.store.close()
