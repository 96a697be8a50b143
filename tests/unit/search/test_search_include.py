"""Inclusion, planned. https://hl7.org/fhir/R4/search.html#include"""

import pytest

from fhir_server.model import Key, Query
from fhir_server.search.include import plan, round_from, versioned
from fhir_server.search.tree import And, Cond, Ids, Match, Not, Or

OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "subject": {"reference": "Patient/li"},
    "encounter": {"reference": "https://hub.example/fhir/Encounter/e"},
    "performer": [
        {"reference": "Practitioner/p"},
        {"reference": "Practitioner/old/_history/2"},
        {"reference": "Organization/g"},
        {"reference": "https://other.example/Practitioner/q"},
        {"reference": "#contained"},
        {"identifier": {"value": "Practitioner/z"}},
    ],
}
PATIENT = {
    "resourceType": "Patient",
    "id": "li",
    "generalPractitioner": [{"reference": "Practitioner/gp"}],
}
MATCHES = [(Key("Observation", "o"), OBSERVATION)]


@pytest.fixture
def planned(extractor, read):
    def ask(query, resources=MATCHES, **more):
        search, again = read(query), more.pop("again", False)
        return plan(
            extractor, search, round_from(extractor, search, resources, again=again), **more
        )

    return ask


def ids(*names: str) -> Ids:
    return Ids(frozenset(names))


def test_include_asks_for_the_ids_that_are_referred_to(planned):
    assert planned("Observation?_include=Observation:subject") == (Query("Patient", ids("li")),)


def test_include_follows_local_references_of_each_type(planned):
    assert planned("Observation?_include=Observation:performer") == (
        Query("Practitioner", ids("p")),
        Query("Organization", ids("g")),
    )
    assert planned("Observation?_include=Observation:performer:Organization") == (
        Query("Organization", ids("g")),
    )


def test_a_version_that_is_named_is_asked_for_by_itself(extractor, read):
    search = read("Observation?_include=Observation:performer&_include=*")

    assert versioned(round_from(extractor, search, MATCHES)) == ((Key("Practitioner", "old"), 2),)
    assert versioned(round_from(extractor, search, MATCHES, again=True)) == ()


def test_a_reverse_wildcard_asks_each_type_for_what_refers(planned):
    types = {"Encounter", "Provenance", "audit"}
    queries = planned("Patient?_revinclude=*", [(Key("Patient", "li"), PATIENT)], types=types)

    assert {query.type for query in queries} == {"Encounter", "Provenance"}


def test_wildcard_includes_every_reference(planned):
    assert {query.type for query in planned("Observation?_include=*")} == {
        "Patient", "Encounter", "Practitioner", "Organization",
    }  # fmt: skip


def test_what_is_known_is_not_asked_for_again(planned):
    known = {Key("Patient", "li"), Key("Practitioner", "p")}

    assert planned("Observation?_include=Observation:subject", known=known) == ()


def test_later_rounds_follow_iterating_includes_alone(planned):
    query = "Observation?_include=Observation:subject&_include:iterate=Patient:general-practitioner"
    added = [(Key("Patient", "li"), PATIENT)]

    assert planned(query) == (Query("Patient", ids("li")),)
    assert planned(query, added, again=True) == (Query("Practitioner", ids("gp")),)
    assert planned("Patient?_include=Patient:general-practitioner", added, again=True) == ()


def test_revinclude_asks_for_what_refers_to_the_matches(planned):
    found = [*MATCHES, (Key("Observation", "o2"), OBSERVATION)]

    assert planned("Observation?_revinclude=Provenance:target", found) == (
        Query(
            "Provenance",
            Match("target", (Cond("v", "in", ("Observation/o", "Observation/o2")),)),
        ),
    )


def test_revinclude_leaves_out_what_is_known(planned):
    assert planned("Observation?_revinclude=Provenance:target", known={Key("Provenance", "p")}) == (
        Query(
            "Provenance",
            And((Match("target", (Cond("v", "=", "Observation/o"),)), Not(ids("p")))),
        ),
    )


def test_reverse_wildcard_asks_each_parameter_that_may_point_here(planned):
    [query] = planned("Patient?_revinclude=Encounter:*", [(Key("Patient", "li"), PATIENT)])

    assert query.type == "Encounter"
    assert isinstance(query.where, Or)
    assert {node.param for node in query.where.nodes} == {"patient", "subject"}


def test_revinclude_that_nothing_can_answer_asks_nothing(planned):
    assert (
        planned("Patient?_revinclude=Observation:encounter", [(Key("Patient", "li"), PATIENT)])
        == ()
    )


def test_queries_for_one_type_are_one(planned):
    query = "Observation?_include=Observation:subject&_revinclude:iterate=Patient:link"

    assert [each.type for each in planned(query, [*MATCHES, (Key("Patient", "li"), PATIENT)])] == [
        "Patient"
    ]


RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "id": "r",
    "questionnaire": "http://acme.org/q|2",
}


def test_include_follows_a_canonical_by_url_and_version(planned):
    asked = planned(
        "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire",
        [(Key("QuestionnaireResponse", "r"), RESPONSE)],
    )

    assert asked == (
        Query(
            "Questionnaire",
            And(
                (
                    Match("url", (Cond("v", "=", "http://acme.org/q"),)),
                    Match("version", (Cond("v", "=", "2"),)),
                )
            ),
        ),
    )


def test_revinclude_finds_what_names_the_url_with_the_version_or_without(planned):
    asked = planned(
        "Questionnaire?_revinclude=QuestionnaireResponse:questionnaire",
        [(Key("Questionnaire", "q"), {"url": "http://acme.org/q", "version": "2"})],
    )
    url = Cond("v", "=", "http://acme.org/q")

    assert asked == (
        Query(
            "QuestionnaireResponse",
            Or(
                (
                    Match("questionnaire", (url, Cond("w", "=", ""))),
                    Match("questionnaire", (url, Cond("w", "=", "2"))),
                )
            ),
        ),
    )
