"""Clients of a hub that write as fast as they are answered, and remember what was acknowledged."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

PARTS = ("a", "b", "c")


def transaction(name: str, turn: int) -> dict[str, Any]:
    """Return a transaction that writes three resources; each tells the same turn."""
    entries = [
        {
            "resource": {
                "resourceType": "Basic",
                "id": f"{name}-{part}",
                "code": {"coding": [{"system": "urn:turn", "code": str(turn)}], "text": "x" * 500},
            },
            "request": {"method": "PUT", "url": f"Basic/{name}-{part}"},
        }
        for part in PARTS
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@dataclass
class Clients:
    """Some clients, each with a connection of its own that it keeps."""

    base: str
    name: str
    acknowledged: dict[str, int] = field(default_factory=dict)
    """For each name of a transaction the last turn that was answered 200."""
    begun: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    answers: int = 0
    stopped: bool = False

    async def run(self, lanes: int = 6) -> None:
        """Write until `stopped`, or until the hub is gone."""
        await asyncio.gather(*(self._lane(lane) for lane in range(lanes)))

    async def _lane(self, lane: int) -> None:
        async with httpx.AsyncClient(base_url=f"{self.base}/fhir", timeout=60) as client:
            for number in count():
                name = f"{self.name}-{lane}-{number}"
                self.begun.add(name)
                for turn in range(2):
                    if self.stopped or not await self._write(client, name, turn):
                        return

    async def _write(self, client: httpx.AsyncClient, name: str, turn: int) -> bool:
        try:
            answer = await client.post("/", json=transaction(name, turn))
        except httpx.TransportError as fault:
            self.faults.append(repr(fault))
            return False
        self.answers += 1
        if answer.status_code == 200:
            self.acknowledged[name] = turn
        else:
            self.faults.append(f"{answer.status_code} {answer.text[:300]}")
        return True


def turns(resources: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return the turn that each resource tells, by its id."""
    return {each["id"]: int(each["code"]["coding"][0]["code"]) for each in resources}
