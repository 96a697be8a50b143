"""Definitions are loaded once for all tests of this folder; they are frozen."""

import os
from pathlib import Path

import pytest

from conformance.definitions import Definitions, load


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    return load()


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of public cases, named by FHIR_CASES."""
    if "FHIR_CASES" not in os.environ:
        pytest.skip("FHIR_CASES does not name a folder of public cases")
    return Path(os.environ["FHIR_CASES"])
