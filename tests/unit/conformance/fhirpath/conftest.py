"""One model for all tests of this folder: it keeps what it has made."""

import pytest

from conformance.definitions import Definitions
from conformance.fhirpath.model import Model


@pytest.fixture(scope="session")
def model(definitions: Definitions) -> Model:
    return Model(definitions)
