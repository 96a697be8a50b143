"""Stores in a temporary folder, and short ways to write to them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_server.model import Entry, Key, Write
from fhir_server.store.sqlite.store import SQLiteStore

Body = Callable[[SQLiteStore], Coroutine[Any, Any, None]]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "hub.db")


@pytest.fixture
def with_store(path: str) -> Iterator[Callable[..., None]]:
    """Run a coroutine with a store on `path`, and close the store."""

    def run(body: Body, **options: Any) -> None:
        async def inner() -> None:
            store = SQLiteStore(path, lambda: 1000, **options)
            try:
                await body(store)
            finally:
                await store.close()

        asyncio.run(inner())

    return run


@pytest.fixture
def basic() -> Callable[..., Write]:
    """Make the write of a Basic with one code."""

    def make(id: str, code: str | float = "x", **more: Any) -> Write:
        return Write(Key("Basic", id), b"{}", (Entry("code", code),), **more)

    return make
