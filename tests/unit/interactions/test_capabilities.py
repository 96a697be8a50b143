"""https://hl7.org/fhir/R4/http.html#capabilities"""

import pytest

from fhir_server.interactions.perform import RUN
from fhir_server.interactions.routes import ROUTES


@pytest.fixture
def statement(make_hub):
    return make_hub().get("metadata", by="").json()


def test_it_names_every_resource_type(statement, definitions):
    types = [each["type"] for each in statement["rest"][0]["resource"]]

    assert types == sorted(definitions.resource_types)


def test_what_it_says_is_done(statement):
    said = {
        each["code"]
        for resource in statement["rest"][0]["resource"]
        for each in resource["interaction"]
    }

    assert said <= set(RUN)


def test_what_is_done_is_routed():
    routed = {name for methods in ROUTES.values() for name in methods.values()}

    assert set(RUN) <= routed


def test_it_is_the_same_every_time(make_hub):
    assert make_hub().get("metadata").content == make_hub().get("metadata").content


def test_parameters_that_are_not_followed_are_not_named(statement):
    [patient] = [r for r in statement["rest"][0]["resource"] if r["type"] == "Patient"]
    names = {each["name"] for each in patient["searchParam"]}

    assert {"name", "identifier", "_id", "_lastUpdated"} <= names
    assert names.isdisjoint({"_content", "_text", "_filter"})


def test_nobody_writes_audit_events(statement):
    [trail] = [r for r in statement["rest"][0]["resource"] if r["type"] == "AuditEvent"]

    assert [each["code"] for each in trail["interaction"]] == ["read", "search-type"]


def test_it_is_valid(statement, validator):
    assert validator.validate(statement) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [("mode=full", 200), ("mode=terminology", 501), ("mode=x", 400), ("a=b", 400)],
)
def test_modes(make_hub, query, status):
    assert make_hub().get(f"metadata?{query}", by="").status_code == status
