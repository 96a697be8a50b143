"""Callers and records that the tests of authorization share."""

from collections.abc import Callable

import pytest

from conformance.definitions import Definitions, load
from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.model import Entry, Key, Version


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    return load()


@pytest.fixture
def doctor() -> Caller:
    """A physician of the clinic, with a department."""
    return Caller(
        "staff",
        "liu",
        duty="physician",
        organization="clinic",
        organizations=frozenset(("clinic", "ward")),
        scopes=(Scope("user", "*", VERBS),),
        now=1000,
    )


@pytest.fixture
def patient() -> Caller:
    return Caller("patient", "wang", patient="p1", scopes=(Scope("patient", "*", VERBS),), now=1000)


@pytest.fixture
def record() -> Callable[..., Version]:
    """A record as authorization sees it."""

    def make(name: str, *entries: Entry, patients: tuple[str, ...] = ("p1",)) -> Version:
        type, _, id = name.partition("/")
        return Version(Key(type, id), 1, 0, b"}}", auth=entries, patients=patients)

    return make
