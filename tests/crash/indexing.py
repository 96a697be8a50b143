"""A process that writes patients, or indexes a store again, until it has done so or is killed.

`python -m tests.crash.indexing write URL NAME NUMBER`: waits for a line on stdin, then creates so
many patients, eight at a time, and prints how many it has created.
`python -m tests.crash.indexing reindex URL`: prints a line for each stretch of its progress.
"""

import asyncio
import sys
from contextlib import suppress

from fhir_server import fhirjson
from fhir_server.app import Parts, assemble
from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import Scope
from fhir_server.errors import Busy
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.perform import perform
from fhir_server.interactions.progress import Progress
from fhir_server.interactions.reindex import reindex
from fhir_server.settings import Settings

OPEN = Caller("open", "open", scopes=(Scope("system", "*", "cruds"),))
_AT_A_TIME = 8


def patient(name: str) -> bytes:
    """Return a patient with a nickname that nobody else has."""
    names = [{"use": "nickname", "given": [name]}]
    return fhirjson.encode({"resourceType": "Patient", "name": names})


async def create(parts: Parts, name: str) -> bool:
    """Create a patient; False where the store could not in time."""
    with suppress(Busy):
        await perform(parts.server, OPEN, Interaction("create", "Patient", body=patient(name)))
        return True
    return False


async def _write(parts: Parts, name: str, number: int) -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    made = 0
    for start in range(0, number, _AT_A_TIME):
        some = (create(parts, f"{name}{n}") for n in range(start, start + _AT_A_TIME))
        made += sum(await asyncio.gather(*some))
        if start == 0:
            print("writing", flush=True)
    print(made, flush=True)


async def _reindex(parts: Parts) -> None:
    def told(progress: Progress) -> None:
        print(progress.done, flush=True)

    await reindex(parts.server, parts.store, "one that is killed", rest=1, told=told)


async def _run(what: str, url: str, *more: str) -> None:
    parts = await assemble(Settings(store=url))
    if what == "write":
        await _write(parts, more[0], int(more[1]))
    else:
        await _reindex(parts)
    await parts.store.close()


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
