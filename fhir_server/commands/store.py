"""A hub's parts on a store, for the length of one command."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fhir_server.app import Parts, assemble
from fhir_server.settings import load


@asynccontextmanager
async def opened(url: str | None, *, fresh: bool = False) -> AsyncIterator[Parts]:
    """Open the store at `url` (by default the settings') and close it at the end.

    Raises ValueError where there is none yet, unless it may be a `fresh` one.
    """
    settings = load(store=url)
    if not fresh:
        demand(settings.store)
    parts = await assemble(settings)
    try:
        yield parts
    finally:
        await parts.store.close()


def demand(url: str) -> None:
    """Raise ValueError where a store that is only looked at would be made by looking."""
    if url.startswith("memory:"):
        raise ValueError("memory:// ends with its process, so this would be an empty store")
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise ValueError(f"there is no store {url}; `fhir-hub demo`, `load` or `serve` make one")


def positive(text: str) -> int:
    """Return a whole number above 0: an argument's type. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
