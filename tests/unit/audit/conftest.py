"""Rows of a morning, in a memory store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fhir_server.audit.row import audit_write
from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.search.cursor import Signer
from fhir_server.store.memory import MemoryStore

NOW = 1_790_000_000_000  # 2026-09-21T21:33:20+08:00
DOCTOR = Caller(
    "staff",
    "liu",
    "刘医生",
    person="Practitioner/liu",
    role="r1",
    duty="physician",
    organization="clinic",
    organizations=frozenset(("clinic",)),
    scopes=(Scope("user", "*", VERBS),),
    request="q-1",
    now=NOW,
    token="ab12",
)
AUDITOR = Caller("auditor", "zhao", "赵", scopes=(Scope("user", "*", VERBS),), now=NOW + 10_000)
PATIENT = Caller(
    "patient",
    "wang",
    "王",
    person="Patient/p1",
    patient="p1",
    scopes=(Scope("patient", "*", VERBS),),
    now=NOW + 10_000,
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def signer() -> Signer:
    return Signer(b"k" * 32)


@dataclass(frozen=True)
class Trail:
    """A store and a quick way to write rows."""

    store: MemoryStore

    async def row(self, row: str, caller: Caller = DOCTOR, after: int = 0, **more: Any) -> None:
        values: dict[str, Any] = {"interaction": "read", "type": "Patient", "id": "p1"} | more
        patients: Sequence[str] = values.pop("patients", ("p1",))
        made = replace(caller, now=NOW + after)
        await self.store.commit([audit_write(made, patients=patients, row_id=row, **values)])


@pytest.fixture
def trail() -> Trail:
    return Trail(MemoryStore(lambda: NOW))
