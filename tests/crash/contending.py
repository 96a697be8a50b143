"""A process that creates the same patients as others do, on conditions spelled in many ways.

`python -m tests.crash.contending URL NAME ROUNDS`: waits for a line on stdin, then prints how many
of its conditional creates won and how many were told that the patient exists.
"""

import asyncio
import sys
import time

from fhir_server.errors import AlreadyMatched
from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.tree import And, Cond, Match, Node, Or
from fhir_server.store.open import open_store
from fhir_server.store.protocol import Store


def spellings(number: int) -> dict[str, Node]:
    """Return criteria that are satisfied by one and the same patient."""
    value, system = Cond("v", "=", f"i{number}"), Cond("w", "=", "urn:s")
    name = Match("name", (Cond("v", "prefix", f"n{number}-"),))
    born = Match("birthdate", (Cond("v", ">=", number), Cond("w", "<=", number + 1)))
    return {
        "whole": Match("identifier", (value, system)),
        "bare": Match("identifier", (value,)),
        "either": Or((Match("identifier", (Cond("v", "in", ("other", f"i{number}")),)), Or(()))),
        "both": And((born, Match("identifier", (system, value)))),
        "name": And((name, born)),
        "born": And((born, name)),
    }


def patient(name: str, number: int, kind: str, unless: Node | None) -> Write:
    """Return the creation of a patient under an id that tells how it came to be."""
    return Write(
        Key("Patient", f"{number}-{kind}-{name}"),
        b"{}",
        (
            Entry("identifier", f"i{number}", "urn:s"),
            Entry("name", f"n{number}-li"),
            Entry("birthdate", number, number + 1),
        ),
        expect=0,
        unless=None if unless is None else Query("Patient", unless),
    )


async def _try(store: Store, write: Write) -> bool:
    try:
        await store.commit([write])
    except AlreadyMatched:
        return False
    return True


async def _contend(url: str, name: str, rounds: int) -> None:
    store = open_store(url, lambda: time.time_ns() // 1_000_000)
    print("ready", flush=True)
    sys.stdin.readline()
    won: list[bool] = []
    for number in range(rounds):
        named = [patient(name, number, k, node) for k, node in spellings(number).items()]
        if number % 3 == 0:
            named.insert(number % len(named), patient(name, number, "plain", None))
        if name == "b":
            named.reverse()
        won += await asyncio.gather(*(_try(store, write) for write in named))
    await store.close()
    print(sum(won), len(won) - sum(won), flush=True)


if __name__ == "__main__":
    asyncio.run(_contend(sys.argv[1], sys.argv[2], int(sys.argv[3])))
