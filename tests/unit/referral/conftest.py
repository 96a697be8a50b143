"""Fixtures of the referral's tests."""

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
