"""What a query may ask of the types. https://spec.graphql.org/October2021/#sec-Introspection"""

import pytest
from graphql import build_client_schema, get_introspection_query, parse, validate, validate_schema

from fhir_server.operations.graphql import meta
from fhir_server.operations.graphql.introspection import introspection
from fhir_server.operations.graphql.plan import plan
from fhir_server.operations.graphql.schema import QUERY, Schema

WHOLE = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)


def ask(hub, query, **more):
    return hub.post("$graphql", {"query": query}, **more)


def data(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture(scope="module")
def schema(definitions):
    return Schema(definitions)


@pytest.fixture(scope="module")
def told(schema):
    """The types as a tool knows them that asked the usual question."""
    asked = plan(schema, WHOLE, "", {}, QUERY)
    return build_client_schema(meta.told(*introspection(schema), asked))


def test_the_usual_question_of_tools_is_answered(told, hub):
    answer = hub.post("$graphql", {"query": WHOLE, "operationName": "IntrospectionQuery"})

    assert build_client_schema(data(answer)).type_map.keys() == told.type_map.keys()


def test_what_is_told_is_a_schema_without_faults(told):
    assert validate_schema(told) == []


@pytest.mark.parametrize(
    "query",
    [
        '{ PatientList(name: "a", _count: 5) { id birthDate _birthDate { id } } }',
        'query($id: ID!) { Patient(id: $id) { name(use: "official") { family } resourceType } }',
        "{ PatientConnection { count next edges { mode score resource { id } } } }",
        "{ ObservationList { valueQuantity { value unit } component { code { text } } } }",
        "{ QuestionnaireList { item { item { linkId } } } }",
        '{ PatientList { ConditionList(_reference: "patient", code: "x") { code { text } } } }',
        "{ PatientList { managingOrganization { resource { ... on Organization { name } } } } }",
        "{ PatientList { contained { ... on DomainResource { text { div } } } } }",
        '{ PatientList { name @flatten { given @first } id @slice(path: "$index") } }',
        "{ PatientList { contact { relationship { text } ... on PatientContact { id } } } }",
    ],
)
def test_tools_know_a_query_by_it_that_the_hub_answers(told, hub, query):
    variables = {"id": "nobody"} if "$id" in query else {}
    answer = hub.post("$graphql", {"query": query, "variables": variables})

    assert validate(told, parse(query)) == []
    assert answer.status_code == 200


def test_tools_know_what_the_hub_refuses(told, hub):
    query = "{ PatientList(nonsense: 1) { nonsense } }"

    assert len(validate(told, parse(query))) == 2
    assert ask(hub, query).status_code == 400


def test_one_type_is_told_by_its_name(hub):
    answer = ask(
        hub,
        '{ __type(name: "HumanName") { kind fields(includeDeprecated: true) '
        "{ name type { kind name ofType { name } } } } }",
    )

    found = data(answer)["__type"]
    fields = {each["name"]: each["type"] for each in found["fields"]}
    assert found["kind"] == "OBJECT"
    assert fields["family"] == {"kind": "SCALAR", "name": "String", "ofType": None}
    assert fields["given"] == {"kind": "LIST", "name": None, "ofType": {"name": "String"}}


def test_a_type_that_is_none_is_null(hub):
    assert data(ask(hub, '{ __type(name: "Nonsense") { name } }')) == {"__type": None}


def test_aliases_and_fragments_are_followed(hub):
    answer = ask(
        hub,
        """
        {
          __typename
          it: __schema { __typename queryType { ...named ...named } mutationType { name } }
        }
        fragment named on __Type { name, again: name }
        """,
    )

    assert data(answer) == {
        "__typename": "Query",
        "it": {
            "__typename": "__Schema",
            "queryType": {"name": "Query", "again": "Query"},
            "mutationType": None,
        },
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ __schema { nonsense } }", "has no field nonsense"),
        ("{ __nonsense }", "has no field __nonsense"),
        ("{ __type { name } }", "name is needed"),
        ('{ __type(name: "x", other: 1) { name } }', "no argument other"),
        ("{ __schema { queryType { name(x: 1) } } }", "no argument x"),
        ("{ __schema { queryType { name } } PatientList { id } }", "PatientList does not go"),
        ("{ PatientList { __schema { queryType { name } } } }", "has no field __schema"),
        ("{ __schema }", "is an object"),
    ],
)
def test_what_is_no_question_about_types_is_refused(hub, query, words):
    answer = ask(hub, query)

    assert answer.status_code == 400
    assert words in answer.json()["errors"][0]["message"]


def test_an_answer_about_types_has_a_limit(hub, monkeypatch):
    monkeypatch.setattr(meta, "MOST_NODES", 100)

    assert ask(hub, "{ __schema { types { name } } }").status_code == 503


def test_who_is_unknown_is_told_nothing(hub):
    assert ask(hub, "{ __schema { queryType { name } } }", by="").status_code == 401
