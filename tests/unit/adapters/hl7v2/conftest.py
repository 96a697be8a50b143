"""One hospital's source, and ids that can be read."""

import hashlib
from datetime import UTC, datetime

import pytest

from adapters.hl7v2.source import Authority, Source


@pytest.fixture
def source():
    """The systems of one hospital, which share patient and visit numbers."""
    return Source(
        name="h1",
        facility="H1",
        owner="h1",
        patient=Authority("H1", "urn:oid:1.2.3.1", "h1"),
        authorities=(
            Authority("医保局", "urn:oid:2.16.156.10011.1.15"),
            Authority("HIS", "urn:local:h1:placer"),
            Authority("LIS", "urn:local:h1:filler"),
        ),
        code_systems={"ICD10CN": "urn:oid:2.16.156.10011.2.3.3.11"},
        processing_ids=frozenset({"P", "T"}),
    )


@pytest.fixture
def ids():
    """Ids that depend on type, system and value, and on nothing else."""

    def identify(kind: str, system: str, value: str) -> str:
        return (
            kind.lower()[:4]
            + "-"
            + hashlib.sha256(f"{kind}|{system}|{value}".encode()).hexdigest()[:12]
        )

    return identify


@pytest.fixture
def received():
    """The hub's clock when the message came."""
    return datetime(2025, 3, 20, 1, 2, 3, 456000, tzinfo=UTC)
