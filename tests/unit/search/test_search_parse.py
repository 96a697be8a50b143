"""Search requests, read. https://hl7.org/fhir/R4/search.html"""

import pytest

from fhir_server.errors import BadRequest, NotSupported
from fhir_server.model import Sort
from fhir_server.search.parse import parse
from fhir_server.search.search import Include, Search
from fhir_server.search.terms import Terms
from fhir_server.search.tree import (
    EVERYTHING,
    NOTHING,
    And,
    Chain,
    Cond,
    Has,
    Ids,
    Match,
    Not,
    Or,
    Together,
    Updated,
)


def test_nothing_asked_is_everything(read):
    assert read("Patient") == Search("Patient", EVERYTHING)


def test_parameters_are_joined_by_and_values_by_or(read):
    assert read("Patient?gender=male&birthdate=sa2000").where == And(
        (
            Match("gender", (Cond("v", "=", "male"),)),
            Match("birthdate", (Cond("v", ">=", 978_278_400_000),)),
        )
    )
    assert read("Patient?gender=male,other").where == Match(
        "gender", (Cond("v", "in", ("male", "other")),)
    )


def test_list_of_thousands_is_one_node(read):
    codes = [f"http://loinc.org|{n}" for n in range(5000)]

    where = read(f"Observation?code={','.join(codes)}").where

    assert isinstance(where, Match)
    assert len(where.all[0].value) == 5000
    assert where.all[1] == Cond("w", "=", "http://loinc.org")


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("_id=a", Ids(frozenset({"a"}))),
        ("_id=a,b", Ids(frozenset({"a", "b"}))),
        ("_id:not=a", Not(Ids(frozenset({"a"})))),
        ("_id:missing=true", NOTHING),
        ("_id:missing=false", EVERYTHING),
        ("_lastUpdated:missing=false", EVERYTHING),
        (
            "_lastUpdated=1970-01-01T00:00:01Z",
            Updated((Cond("v", ">=", 1000), Cond("v", "<", 2000))),
        ),
        ("_lastUpdated=gt1970-01-01T00:00:01Z", Updated((Cond("v", ">=", 2000),))),
        ("_lastUpdated=lt1970-01-01T00:00:01Z", Updated((Cond("v", "<", 1000),))),
        ("_lastUpdated=sa1970-01-01T00:00:01Z", Updated((Cond("v", ">=", 2000),))),
        ("_lastUpdated=eb1970-01-01T00:00:01Z", Updated((Cond("v", "<", 1000),))),
    ],
)  # fmt: skip
def test_record_s_own_parameters_need_no_entries(read, query, where):
    assert read(f"Patient?{query}").where == where


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("eq", True), ("ne", False), ("ge", True), ("le", True), ("gt", False), ("lt", False)],
)
def test_last_updated_is_a_moment_within_the_value(matches, prefix, expected):
    # conftest's NOW is 2025-06-15T15:06:40Z, 23:06:40 in the hub's zone.
    assert matches({"resourceType": "Patient"}, f"_lastUpdated={prefix}2025-06-15") is expected


CODE = Match("code", (Cond("v", "=", "x"),))
LI = Match("name", (Cond("v", "prefix", "li"),))


def test_typed_chain(read):
    assert read("Observation?subject:Patient.name=Li").where == Chain("subject", "Patient", LI)


def test_untyped_chain_goes_to_each_type_that_knows_the_parameter(read):
    assert read("Observation?subject.name=Li").where == Or(
        (Chain("subject", "Patient", LI), Chain("subject", "Location", LI))
    )


def test_chain_leads_on_and_keeps_its_modifier(read):
    assert read("Observation?encounter.patient:Patient.name:exact=Li").where == Chain(
        "encounter",
        "Encounter",
        Chain("patient", "Patient", Match("name", (Cond("v", "=", "li"), Cond("w", "=", "Li")))),
    )


def test_chain_may_end_in_an_id(read):
    assert read("Observation?subject:Patient._id=1").where == Chain(
        "subject", "Patient", Ids(frozenset({"1"}))
    )


def test_has_with_chains_and_has_inside(read):
    assert read("Patient?_has:Observation:patient:code=x").where == Has(
        "Observation", "patient", CODE
    )
    assert read("Patient?_has:Observation:patient:_has:Provenance:target:agent=Device/1").where == (
        Has(
            "Observation",
            "patient",
            Has("Provenance", "target", Match("agent", (Cond("v", "=", "Device/1"),))),
        )
    )
    assert read("Patient?_has:Observation:patient:performer:Practitioner.name=Li").where == Has(
        "Observation", "patient", Chain("performer", "Practitioner", LI)
    )
    assert read("Encounter?subject:Patient._has:Observation:patient:code=x").where == Chain(
        "subject", "Patient", Has("Observation", "patient", CODE)
    )


def test_joins_find_what_is_linked(matches):
    li = {"resourceType": "Patient", "id": "li", "name": [{"text": "Li Na"}]}
    seen = {
        "resourceType": "Observation",
        "id": "o",
        "code": {"coding": [{"code": "x"}]},
        "subject": {"reference": "Patient/li"},
    }

    assert matches(seen, "subject:Patient.name=li", li)
    assert not matches(seen, "subject:Patient.name=wang", li)
    assert matches(li, "_has:Observation:patient:code=x", seen)
    assert not matches(li, "_has:Observation:patient:code=y", seen)


def test_depth_of_joins_is_limited(definitions):
    terms = Terms(depth=2)
    parse(definitions, "Location", [("partof.partof.name", "x")], terms)

    with pytest.raises(BadRequest, match="2 references at most"):
        parse(definitions, "Location", [("partof.partof.partof.name", "x")], terms)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("Observation?subject:Foo.name=x", "no resource type 'Foo'"),
        ("Observation?subject:Medication.code=x", "never points to Medication"),
        ("Observation?code.name=x", "not a reference"),
        ("Observation?subject.nonsense=x", "'nonsense'"),
        ("Observation?encounter.date=x", "expected a date"),
        ("Patient?_has:Observation:patient=x", "expected _has:Type:reference:parameter"),
        ("Patient?_has:Foo:patient:code=x", "no resource type 'Foo'"),
        ("Patient?_has:Observation:code:code=x", "not a reference"),
        ("Device?_has:Observation:encounter:code=x", "never points to Device"),
        ("Patient?_has:Observation:patient:_id=a b", "expected ids"),
    ],
)
def test_join_that_cannot_be_is_refused(read, query, message):
    with pytest.raises(BadRequest, match=message):
        read(query)


QUESTIONNAIRE = {
    "resourceType": "Questionnaire",
    "id": "q",
    "url": "http://acme.org/q",
    "version": "2",
    "title": "Health",
}


def answers(canonical: str, **more: object) -> dict:
    return {"resourceType": "QuestionnaireResponse", "questionnaire": canonical, **more}


@pytest.mark.parametrize(
    ("canonical", "found"),
    [
        ("http://acme.org/q", True),
        ("http://acme.org/q|2", True),
        ("http://acme.org/q|1", False),
        ("http://acme.org/other", False),
        ("Questionnaire/q", False),
    ],
)
@pytest.mark.parametrize("name", ["questionnaire.title", "questionnaire:Questionnaire.title"])
def test_a_chain_through_a_canonical_goes_by_url_and_version(matches, canonical, found, name):
    assert matches(answers(canonical), f"{name}=health", QUESTIONNAIRE) == found


@pytest.mark.parametrize(
    ("canonical", "found"), [("http://acme.org/q", True), ("http://acme.org/q|1", False)]
)
def test_a_reverse_chain_through_a_canonical_goes_by_url_and_version(matches, canonical, found):
    said = answers(canonical, id="r", status="completed")
    query = "_has:QuestionnaireResponse:questionnaire:status=completed"

    assert matches(QUESTIONNAIRE, query, said) == found


def test_a_canonical_at_this_hub_is_found_by_its_address_and_by_its_url(matches):
    here = {**QUESTIONNAIRE, "url": "https://hub.example/fhir/Questionnaire/q"}
    said = answers("https://hub.example/fhir/Questionnaire/q")

    assert matches(said, "questionnaire=Questionnaire/q")
    assert matches(said, "questionnaire=https://hub.example/fhir/Questionnaire/q")
    assert matches(said, "questionnaire.title=health", here)


@pytest.mark.parametrize("name", ["_query"])
def test_parameters_not_yet_followed_are_named(read, name):
    with pytest.raises(NotSupported, match=name):
        read(f"Location?{name}=x")


def test_composite_pairs_values_of_one_place(read, matches):
    query = "component-code-value-quantity=http://loinc.org|8480-6$gt140"
    assert read(f"Observation?{query}").where == Together(
        "component-code-value-quantity",
        (
            (Cond("v", "=", "8480-6"), Cond("w", "=", "http://loinc.org")),
            (Cond("w", ">", 140.0),),
        ),
    )

    def part(code: str, value: int) -> dict:
        coding = {"system": "http://loinc.org", "code": code}
        return {"code": {"coding": [coding]}, "valueQuantity": {"value": value}}

    high = {"resourceType": "Observation", "component": [part("8480-6", 150), part("8462-4", 80)]}
    low = {"resourceType": "Observation", "component": [part("8480-6", 120), part("8462-4", 150)]}
    assert matches(high, query)
    assert not matches(low, query)
    assert matches(low, f"{query},http://loinc.org|8462-4$150")


def test_composite_takes_dates_and_every_combination(matches):
    born = {
        "resourceType": "Observation",
        "code": {"coding": [{"code": "x"}]},
        "valueDateTime": "2020-05-01",
    }

    assert matches(born, "code-value-date=x$ge2020")
    assert matches(born, "code-value-date=x$ne2021")
    assert not matches(born, "code-value-date=y$ge2020")


@pytest.mark.parametrize("text", ["x", "x$", "$1", "x$1$2"])
def test_composite_needs_all_its_parts(read, text):
    with pytest.raises(BadRequest, match=r"expected code\$value-quantity"):
        read(f"Observation?code-value-quantity={text}")


def test_result_parameters(read):
    found = read(
        "Observation?_sort=-date,code&_sort=_id&_count=5&_total=accurate&_summary=count"
        "&_elements=status,valueQuantity&_elements=Observation.code&_cursor=abc&_contained=false"
    )

    assert found == Search(
        "Observation",
        EVERYTHING,
        sort=(Sort("date", True), Sort("code"), Sort("_id")),
        count=5,
        total="accurate",
        summary="count",
        elements=("status", "valueQuantity", "code"),
        cursor="abc",
        used=found.used,
    )


def test_a_sort_by_text_goes_by_what_is_written(read):
    assert read("Patient?_sort=-family").sort == (Sort("family", True, written=True),)
    assert read("Patient?_sort=phonetic").sort == (Sort("phonetic", among=("name",), written=True),)


def test_a_sort_that_is_said_again_changes_nothing(read):
    found = read("Observation?_sort=-date,code,date&_sort=code,_id")

    assert found.sort == (Sort("date", True), Sort("code"), Sort("_id"))


def test_count_is_limited(read):
    assert read("Patient?_count=5000").count == 1000
    assert read("Patient?_count=0").count == 0
    assert read("Patient").count == 20


def test_includes(read):
    found = read(
        "Observation?_include=Observation:subject:Patient&_include=*"
        "&_include:iterate=Patient:general-practitioner&_revinclude=Provenance:target"
        "&_revinclude:iterate=Provenance:*"
    )

    assert found.includes == (
        Include("Observation", "subject", "Patient"),
        Include("*", "*"),
        Include("Patient", "general-practitioner", None, True),
    )
    assert found.revincludes == (
        Include("Provenance", "target"),
        Include("Provenance", "*", None, True),
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("_sort=nonsense", "'nonsense'"),
        ("_sort=code-value-quantity", "gives no order"),
        ("_count=-1", "0 or more"),
        ("_count=ten", "0 or more"),
        ("_count=1&_count=2", "twice"),
        ("_total=maybe", "none, estimate, accurate"),
        ("_include:recurse=Observation:subject", "expected _include or _include:iterate"),
        ("_count:exact=1", "expected _count"),
        ("_summary=yes", "true, text, data, count, false"),
        ("_elements=nonsense", "no element 'nonsense'"),
        ("_include=subject", "expected Type:parameter"),
        ("_include=Observation:code", "not a reference"),
        ("_include=Observation:subject:Encounter", "never points to Encounter"),
        ("_include=Foo:x", "no resource type 'Foo'"),
        ("_include=Patient:organization", "_include:iterate"),
        ("_revinclude=Provenance:target:Patient", "_revinclude:iterate"),
        ("_count=", "has no value"),
        ("code=", "has no value"),
        ("code:not=", "has no value"),
        ("_id=", "expected ids"),
        ("_lastUpdated=", "expected a date"),
        ("_lastUpdated:missing=x", "true or false"),
        ("subject:Patient.name=", "has no value"),
    ],
)
def test_what_cannot_be_understood_is_refused(read, query, message):
    with pytest.raises(BadRequest, match=message):
        read(f"Observation?{query}")


def test_unknown_parameter_names_itself_and_its_neighbours(read):
    with pytest.raises(BadRequest, match=r"'nmae'.*perhaps name"):
        read("Patient?nmae=Li")


def test_lenient_handling_drops_what_is_unknown_and_says_so(read):
    found = read("Patient?nmae=Li&_query=x&gender=male", Terms(lenient=True))

    assert found.where == Match("gender", (Cond("v", "=", "male"),))
    assert found.used == (("gender", "male"),)
    assert [(issue.severity, issue.code) for issue in found.problems] == [
        ("warning", "not-found"),
        ("warning", "not-supported"),
    ]


def test_lenient_handling_does_not_guess_at_values(read):
    with pytest.raises(BadRequest):
        read("Patient?birthdate=x", Terms(lenient=True))


def test_parameters_of_the_edge_are_left_to_it(read):
    found = read("Patient?_format=json&_pretty=true&gender=male")

    assert found.used == (("gender", "male"),)
