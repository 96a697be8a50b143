"""Patients as numbers, remembered once a commit has made them."""

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

_MOST = 100_000


class Names:
    """What this process knows of `patient`. A number never changes, so nothing known is wrong."""

    def __init__(self, patients: AsyncCollection[dict[str, Any]]) -> None:
        """Know nothing."""
        self._patients = patients
        self._known: dict[str, int] = {}

    async def numbers(
        self, ids: Iterable[str], session: AsyncClientSession | None = None
    ) -> dict[str, int]:
        """Return the numbers of those patients that have one."""
        wanted = set(ids)
        found = {id: self._known[id] for id in wanted if id in self._known}
        missing = list(wanted - found.keys())
        if missing:
            cursor = self._patients.find({"_id": {"$in": missing}}, session=session)
            new = {doc["_id"]: doc["n"] async for doc in cursor}
            if session is None or not session.in_transaction:
                self.learn(new)
            found |= new
        return found

    def learn(self, numbers: Mapping[str, int]) -> None:
        """Remember numbers that are committed."""
        if len(self._known) > _MOST:
            self._known.clear()
        self._known.update(numbers)
