"""https://hl7.org/fhir/R4/http.html#capabilities"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fhir_server.interactions.perform import RUN
from fhir_server.interactions.routes import ROUTES
from fhir_server.search.extract import Extractor
from fhir_server.search.fulltext import FullText

_ROOT = Path(__file__).parents[3]


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

    assert {"name", "identifier", "_id", "_lastUpdated", "_content", "_text"} <= names
    assert names.isdisjoint({"_filter", "_query"})


def test_words_are_named_only_where_they_are_kept(make_hub, definitions):
    hub = make_hub(extractor=Extractor(definitions, full_text=FullText(frozenset(("Patient",)))))

    told = hub.get("metadata").json()["rest"][0]["resource"]
    named = [r["type"] for r in told if any(p["name"] == "_content" for p in r["searchParam"])]
    assert named == ["Patient"]


def test_nobody_writes_audit_events(statement):
    [trail] = [r for r in statement["rest"][0]["resource"] if r["type"] == "AuditEvent"]

    assert [each["code"] for each in trail["interaction"]] == ["read", "search-type"]


def test_it_is_valid(statement, validator):
    assert validator.validate(statement) == []


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("", "CapabilityStatement"),
        ("?mode=full", "CapabilityStatement"),
        ("?mode=normative", "CapabilityStatement"),
        ("?mode=terminology", "TerminologyCapabilities"),
    ],
)
def test_modes(make_hub, validator, query, kind):
    """ "full (or not present), normative, terminology" """
    found = make_hub().get(f"metadata{query}", by="").json()

    assert found["resourceType"] == kind
    assert validator.validate(found) == []


@pytest.mark.parametrize(
    "query", ["mode=x", "mode=full&mode=full", "a=b", "_elements=nose", "_summary=count"]
)
def test_what_cannot_be_asked_is_a_bad_request(make_hub, query):
    assert make_hub().get(f"metadata?{query}", by="").status_code == 400


def test_it_has_a_summary(make_hub, statement):
    found = make_hub().get("metadata?_summary=true", by="").json()

    assert found["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert [each["type"] for each in found["rest"][0]["resource"]] == [
        each["type"] for each in statement["rest"][0]["resource"]
    ]
    assert "searchInclude" not in found["rest"][0]["resource"][0]


def test_parts_of_it_can_be_asked_for(make_hub):
    found = make_hub().get("metadata?_elements=software", by="").json()

    assert "software" in found
    assert "rest" not in found


def test_what_is_set_is_told(make_hub):
    hub = make_hub(settings={"delete_limit": 1, "update_create": False, "cors_origins": "*"})

    [rest] = hub.get("metadata").json()["rest"]

    assert rest["security"]["cors"] is True
    assert rest["resource"][0]["conditionalDelete"] == "single"
    assert rest["resource"][0]["updateCreate"] is False


_PRINT = """
import hashlib, itertools
from conformance.definitions import load
from fhir_server import app
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.index import Index
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.server import Server
from fhir_server.search.extract import Extractor
from fhir_server.settings import Settings
index = Index(None, Extractor(load()))
parts = (None, None, index, *[None] * 4)
server = Server(Settings(), *parts, write_rules={}, operations=app.OPERATIONS)
for mode in ("full", "terminology"):
    body = capabilities(server, Interaction("capabilities", params=(("mode", mode),))).body
    print(hashlib.sha256(body).hexdigest())
"""


def test_two_starts_say_the_same_byte_for_byte():
    outputs = [
        subprocess.run(
            [sys.executable, "-c", _PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(_ROOT)},
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]

    assert outputs[0] == outputs[1]
    assert len(outputs[0].split()) == 2


def test_every_operation_it_names_is_defined(make_hub, validator):
    from fhir_server.app import OPERATIONS

    hub = make_hub(operations=OPERATIONS)
    [rest] = hub.get("metadata").json()["rest"]
    told = [each for resource in rest["resource"] for each in resource.get("operation", ())]
    urls = {each["definition"] for each in [*told, *rest["operation"]]}

    for url in sorted(urls):
        found = hub.get(f"OperationDefinition/{url.rpartition('/')[2]}")
        assert found.status_code == 200, url
        assert found.json()["url"] == url
        assert validator.validate(found.json()) == []


def test_a_definition_tells_where_its_operation_is_routed(hub):
    found = hub.get("OperationDefinition/Resource-meta").json()

    assert (found["system"], found["type"], found["instance"]) == (True, True, True)
    assert found["affectsState"] is False
    assert found["parameter"][0]["name"] == "return"


def test_a_definition_that_is_stored_goes_first(hub):
    made = hub.get("OperationDefinition/Resource-validate").json() | {"title": "mine"}
    hub.put_in(made)

    assert hub.get("OperationDefinition/Resource-validate").json()["title"] == "mine"


def test_other_definitions_are_not_there(hub):
    assert hub.get("OperationDefinition/Resource-nothing").status_code == 404
