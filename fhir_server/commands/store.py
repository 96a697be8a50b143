"""A hub's parts on a store, for the length of one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fhir_server.app import Parts, assemble
from fhir_server.settings import load


@asynccontextmanager
async def opened(url: str | None) -> AsyncIterator[Parts]:
    """Open the store at `url` (by default the settings') and close it at the end."""
    parts = await assemble(load(store=url))
    try:
        yield parts
    finally:
        await parts.store.close()
