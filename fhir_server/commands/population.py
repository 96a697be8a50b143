"""A population of the benchmarks, written straight into a store: one process, large commits."""

import asyncio
from itertools import islice

from fhir_server.bench.population import resources
from fhir_server.commands.store import opened
from fhir_server.interactions.write import derived
from fhir_server.model import Key

_AT_ONCE = 500
OWNER = "hospital"
"""The institution of the demo city whose records they are."""


def fill(store: str, count: int) -> None:
    """Write so many resources under their own ids."""
    asyncio.run(_fill(store, count))


async def _fill(url: str, count: int) -> None:
    every = resources(count)
    async with opened(url) as parts:
        while some := list(islice(every, _AT_ONCE)):
            keyed = ((Key(each["resourceType"], each["id"]), each) for each in some)
            await parts.store.commit(
                [derived(parts.server, key, each, None, OWNER) for key, each in keyed]
            )
