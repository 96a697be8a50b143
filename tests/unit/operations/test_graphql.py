"""https://hl7.org/fhir/R4/graphql.html"""

from urllib.parse import urlencode

import pytest

from fhir_server.operations.graphql import plan


def to(text, **more):
    return {"reference": text} | more


PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "contained": [{"resourceType": "Organization", "id": "in", "name": "Contained"}],
    "name": [
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
        {"use": "usual", "given": ["Jim"]},
        {"use": "maiden", "family": "Windsor", "given": ["Peter", "James"]},
    ],
    "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}],
    "gender": "male",
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45Z"}]},
    "deceasedBoolean": False,
    "generalPractitioner": [to("Practitioner/d1"), to("#in")],
    "managingOrganization": to("Organization/o1"),
}


def observation(id, value, **more):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": "bp"}]},
        "subject": to("Patient/p1"),
        "effectiveDateTime": f"2026-01-0{id[-1]}",
    } | value


RECORD = (
    {"resourceType": "Organization", "id": "o1", "name": "House"},
    {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Zhao"}]},
    PATIENT,
    {"resourceType": "Patient", "id": "p2", "name": [{"family": "Li"}]},
    observation("v1", {"valueQuantity": {"value": 1.50, "unit": "mm"}}),
    observation("v2", {"valueString": "high", "performer": [to("Practitioner/gone")]}),
    observation("v3", {"valueCodeableConcept": {"text": "x"}, "subject": to("Patient/p2")}),
)


@pytest.fixture
def record(hub):
    hub.put_in(*RECORD)
    return hub


@pytest.fixture
def one(make_hub):
    """The record in memory alone: for what no store decides."""
    hub = make_hub()
    hub.put_in(*RECORD)
    return hub


def asked(hub, query, path="$graphql", by="open", **more):
    body = {"query": query} | more
    return hub("POST", path, body, by=by, headers={"Content-Type": "application/json"})


def data(hub, query, path="$graphql", by="open", **more):
    answer = asked(hub, query, path, by, **more)
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def of_patient(hub, query, **more):
    return data(hub, query, "Patient/p1/$graphql", **more)


def errors(hub, query, path="$graphql", **more):
    answer = asked(hub, query, path, **more)
    return answer.status_code, answer.json()["errors"]


# Reading


def test_a_record_by_id(record):
    query = '{ Patient(id: "p1") { id resourceType gender name { family given } } }'

    assert data(record, query)["Patient"] == {
        "id": "p1",
        "resourceType": "Patient",
        "gender": "male",
        "name": [
            {"family": "Chalmers", "given": ["Peter", "James"]},
            {"family": None, "given": ["Jim"]},
            {"family": "Windsor", "given": ["Peter", "James"]},
        ],
    }


def test_an_instance(one):
    assert of_patient(one, "{ id active deceasedBoolean deceased meta { versionId } }") == {
        "id": "p1",
        "active": True,
        "deceasedBoolean": False,
        "deceased": False,
        "meta": {"versionId": "1"},
    }


def test_aliases_typename_and_what_is_about_a_primitive(one):
    query = "{ t: __typename born: birthDate _birthDate { extension { url valueDateTime } } }"

    assert of_patient(one, query) == {
        "t": "Patient",
        "born": "1974-12-25",
        "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45Z"}]},
    }


def test_numbers_keep_their_digits(one):
    answer = asked(one, '{ Observation(id: "v1") { valueQuantity { value } } }')

    assert b'"value":1.5' in answer.content


def test_choices_by_fragment(one):
    query = """{
        a: Observation(id: "v1") { ...V } b: Observation(id: "v2") { ...V }
        c: Observation(id: "v3") { ...V }
    }
    fragment V on Observation {
        value { __typename ... on Quantity { value unit } ... on CodeableConcept { text }
                ... on string { value } }
    }"""

    assert data(one, query) == {
        "a": {"value": {"__typename": "Quantity", "value": 1.5, "unit": "mm"}},
        "b": {"value": {"__typename": "string", "value": "high"}},
        "c": {"value": {"__typename": "CodeableConcept", "text": "x"}},
    }


# Lists


@pytest.mark.parametrize(
    ("arguments", "families"),
    [
        ("use: official", ["Chalmers"]),
        ('use: "official"', ["Chalmers"]),
        ('given: "Jim"', [None]),
        ('given: "Peter", use: maiden', ["Windsor"]),
        ("use: [official, maiden]", ["Chalmers", "Windsor"]),
        ("fhirpath: \"use = 'official' or given.count() = 1\"", ["Chalmers", None]),
        ("_count: 1", ["Chalmers"]),
        ("_offset: 2", ["Windsor"]),
        ("_offset: 1, _count: 1", [None]),
        ("use: old", []),
    ],
)
def test_filters_of_lists(one, arguments, families):
    found = of_patient(one, f"{{ name({arguments}) {{ family }} }}")

    assert [each["family"] for each in found["name"]] == families


# References


def test_a_reference_is_followed(record):
    query = """{
        managingOrganization { resource { __typename ... on Organization { name } } }
        generalPractitioner { reference resource {
            ... on Practitioner { name { family } } ... on Organization { name }
        } }
    }"""

    assert of_patient(record, query) == {
        "managingOrganization": {"resource": {"__typename": "Organization", "name": "House"}},
        "generalPractitioner": [
            {"reference": "Practitioner/d1", "resource": {"name": [{"family": "Zhao"}]}},
            {"reference": "#in", "resource": {"name": "Contained"}},
        ],
    }


def test_a_reference_to_another_type_is_left_out(one):
    query = "{ generalPractitioner { resource(type: Practitioner) { id } } }"

    assert of_patient(one, query)["generalPractitioner"] == [
        {"resource": {"id": "d1"}},
        {"resource": None},
    ]


def test_a_reference_that_leads_nowhere_is_an_error_unless_it_is_optional(one):
    strict = '{ Observation(id: "v2") { performer { resource { id } } } }'
    lenient = strict.replace("resource", "resource(optional: true)")

    status, [error] = errors(one, strict)
    assert status == 200
    assert error == {
        "message": "There is no Practitioner/gone.",
        "locations": [{"line": 1, "column": 39}],
        "path": ["Observation", "performer", 0, "resource"],
    }
    assert data(one, lenient)["Observation"] == {"performer": [{"resource": None}]}


def test_what_refers_to_a_record(record):
    query = """{
        ObservationList(_reference: patient, _sort: "-date") { id effectiveDateTime }
        none: ConditionList(_reference: patient) { id }
    }"""

    found = of_patient(record, query)
    assert [each["id"] for each in found["ObservationList"]] == ["v2", "v1"]
    assert found["none"] == []


def test_what_refers_to_many_is_searched_at_once(one, monkeypatch):
    query = "{ PatientList(_id: [p1, p2]) { id ObservationList(_reference: subject) { id } } }"
    searched = []
    search = one.server.store.search

    async def counting(asked):
        searched.append(asked)
        return await search(asked)

    monkeypatch.setattr(one.server.store, "search", counting)
    found = data(one, query)["PatientList"]

    assert [[o["id"] for o in each["ObservationList"]] for each in found] == [["v1", "v2"], ["v3"]]
    assert [each.type for each in searched] == ["Patient", "Observation"]


def test_what_is_too_much_at_once_is_searched_one_by_one(make_hub):
    hub = make_hub(settings={"page_limit": 2})
    hub.put_in(*RECORD)
    query = "{ PatientList(_count: 2) { ObservationList(_reference: subject, code: bp) { id } } }"

    found = data(hub, query)["PatientList"]
    assert [len(each["ObservationList"]) for each in found] == [2, 1]


def test_references_of_a_level_are_read_at_once(one, monkeypatch):
    query = "{ ObservationList { subject { resource { ... on Patient { id } } } } }"
    searched = []
    search = one.server.store.search

    async def counting(asked):
        searched.append(asked)
        return await search(asked)

    monkeypatch.setattr(one.server.store, "search", counting)

    assert len(data(one, query)["ObservationList"]) == 3
    assert [each.type for each in searched] == ["Observation", "Patient"]


# Searching


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ('name: "chalmers"', ["p1"]),
        ('family: ["chalmers", "li"], _sort: _id', ["p1", "p2"]),
        ("active: true", ["p1"]),
        ('general_practitioner: "Practitioner/d1"', ["p1"]),
        ("_count: 0", []),
        ('_id: "p2"', ["p2"]),
        ("fhirpath: \"name.family = 'Li'\"", ["p2"]),
    ],
)
def test_lists(record, arguments, ids):
    found = data(record, f"{{ PatientList({arguments}) {{ id }} }}")

    assert [each["id"] for each in found["PatientList"]] == ids


def test_a_list_that_is_longer_than_a_page_is_an_error(make_hub):
    hub = make_hub(settings={"page_limit": 1})
    hub.put_in(*RECORD)

    status, [error] = errors(hub, "{ PatientList { id } }")
    assert (status, error["path"]) == (200, ["PatientList"])
    assert errors(hub, "{ PatientList(_count: 2) { id } }")[0] == 200
    assert len(data(hub, "{ PatientList(_count: 1) { id } }")["PatientList"]) == 1


PAGE = """query($cursor: ID) {
    ObservationConnection(code: "bp", _sort: date, _count: 2, _cursor: $cursor) {
        count offset pagesize first previous next last
        edges { mode score resource { id } }
    }
}"""


def test_connections(record):
    one = data(record, PAGE)["ObservationConnection"]
    two = data(record, PAGE, variables={"cursor": one["next"]})["ObservationConnection"]

    assert (one["count"], one["offset"], one["pagesize"]) == (3, 0, 2)
    assert one["edges"] == [
        {"mode": "match", "score": None, "resource": {"id": id}} for id in ("v1", "v2")
    ]
    assert (two["offset"], two["next"]) == (2, None)
    assert [each["resource"]["id"] for each in two["edges"]] == ["v3"]
    again = data(record, PAGE, variables={"cursor": two["first"]})["ObservationConnection"]
    assert again["edges"] == one["edges"]
    back = data(record, PAGE, variables={"cursor": two["previous"]})["ObservationConnection"]
    assert (back["edges"], back["previous"]) == (one["edges"], None)


def test_a_connection_may_only_count(record):
    query = "{ ObservationConnection(_count: 0) { count next edges { mode } } }"

    assert data(record, query)["ObservationConnection"] == {"count": 3, "next": None, "edges": []}


def test_a_connection_of_a_record_with_what_it_includes(one):
    query = """{ ObservationConnection(
        _reference: patient, _count: 1, _include: "Observation:subject"
    ) { edges { mode resource { resourceType } } } }"""

    assert of_patient(one, query)["ObservationConnection"]["edges"] == [
        {"mode": "match", "resource": {"resourceType": "Observation"}},
        {"mode": "include", "resource": {"resourceType": "Patient"}},
    ]


def test_a_cursor_holds_for_its_caller_and_search_alone(one):
    next = data(one, PAGE)["ObservationConnection"]["next"]

    for query, by in ((PAGE, "patient"), (PAGE.replace("bp", "urn:c|bp"), "open")):
        status, [error] = errors(one, query, variables={"cursor": next}, by=by)
        assert (status, error["path"]) == (200, ["ObservationConnection"])


# Directives


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "{ name @flatten { family given } }",
            {
                "family": ["Chalmers", "Windsor"],
                "given": ["Peter", "James", "Jim", "Peter", "James"],
            },
        ),
        (
            "{ name @flatten { given @first } }",
            {"given": ["Peter", "Jim", "Peter"]},
        ),
        (
            "{ name(use: official) @flatten { family @singleton } }",
            {"family": "Chalmers"},
        ),
        ("{ name @first { family } }", {"name": {"family": "Chalmers"}}),
        ("{ name @first @flatten { family } }", {"family": "Chalmers"}),
        ("{ name(use: usual) @singleton { given } }", {"name": {"given": ["Jim"]}}),
        (
            '{ telecom @slice(path: "system") { value } }',
            {"telecom.phone": [{"value": "1"}], "telecom.email": [{"value": "2"}]},
        ),
        (
            '{ telecom @flatten @slice(path: "system") { value } }',
            {"value.phone": ["1"], "value.email": ["2"]},
        ),
        (
            '{ telecom @flatten @slice(fhirpath: "$index") { value @singleton } }',
            {"value.0": "1", "value.1": "2"},
        ),
        (
            "{ managingOrganization @flatten { resource @flatten "
            "{ ... on Organization { house: name } } } }",
            {"house": "House"},
        ),
        ("{ id @skip(if: true) gender @include(if: true) }", {"gender": "male"}),
        ("{ ... @include(if: false) { id } gender @skip(if: false) }", {"gender": "male"}),
    ],
)
def test_directives(one, query, expected):
    assert of_patient(one, query) == expected


def test_several_values_of_a_singleton_are_an_error(one):
    status, [error] = errors(one, "{ name @flatten { family @singleton } }", "Patient/p1/$graphql")

    assert (status, error["path"]) == (200, ["family"])


# Variables and fragments


def test_variables(one):
    query = """query Find($name: string!, $count: Int = 1, $long: Boolean = false) {
        PatientList(name: $name, _count: $count) { id gender @include(if: $long) }
    }"""

    assert data(one, query, variables={"name": "ch"}) == {"PatientList": [{"id": "p1"}]}
    assert data(one, query, variables={"name": "ch", "long": True}) == {
        "PatientList": [{"id": "p1", "gender": "male"}]
    }
    status, [error] = errors(one, query)
    assert status == 400
    assert "$name" in error["message"]


def test_an_operation_is_chosen_by_name(one):
    query = "query A { PatientList { id } } query B { OrganizationList { id } }"

    assert data(one, query, operationName="B") == {"OrganizationList": [{"id": "o1"}]}
    assert errors(one, query)[0] == 400
    assert errors(one, query, operationName="C")[0] == 400


def test_fields_of_one_key_are_one(one):
    query = "{ name { family } name { given } ... on Resource { name: id } }"
    fragments = "{ ...A ... on Patient { name { given } } } fragment A on Patient { name { use } }"

    assert errors(one, query, "Patient/p1/$graphql")[0] == 400
    assert of_patient(one, fragments)["name"][1] == {"use": "usual", "given": ["Jim"]}


def test_fragments_of_other_types_select_nothing(one):
    assert of_patient(one, "{ id ... on Observation { status } ... on DomainResource { id } }") == {
        "id": "p1"
    }


# How it comes


def test_a_get(one):
    query = urlencode(
        {"query": "query($i: id!) { Patient(id: $i) { id } }", "variables": '{"i":"p1"}'}
    )

    answer = one.get(f"$graphql?{query}")

    assert answer.json() == {"data": {"Patient": {"id": "p1"}}}
    assert answer.headers["content-type"].startswith("application/json")


def test_other_bodies(one):
    plain = one(
        "POST",
        "Patient/p1/$graphql",
        b"{ id }",
        headers={"Content-Type": "application/graphql"},
    )
    parameters = one.post(
        "Patient/p1/$graphql",
        {"resourceType": "Parameters", "parameter": [{"name": "query", "valueString": "{ id }"}]},
    )

    assert plain.json() == parameters.json() == {"data": {"id": "p1"}}


def test_inside_a_batch_the_answer_is_a_binary(one):
    """ "OUT result 1..1 Binary" """
    entry = {"request": {"method": "GET", "url": "Patient/p1/$graphql?query={id}"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}

    resource = one.post("", bundle).json()["entry"][0]["resource"]

    assert (resource["resourceType"], resource["contentType"]) == ("Binary", "application/json")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"query": " "}, 400),
        ({"query": "{ PatientList { id } }", "variables": [1]}, 400),
        ({"query": "{ PatientList { id } }", "colour": "red"}, 400),
        ([], 400),
    ],
)
def test_what_is_no_request_is_an_outcome(one, body, status):
    answer = one("POST", "$graphql", body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_body_that_is_not_utf_8(one):
    answer = one("POST", "$graphql", b"{ \xff }", headers={"Content-Type": "application/graphql"})

    assert answer.status_code == 400


# What is wrong


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("{ Patient(id: 1", (1, 16)),
        ("{ }", (1, 3)),
        ("{ Nothing { id } }", (1, 3)),
        ('{ Patient(id: "p1") { colour } }', (1, 23)),
        ('{ Patient(id: "p1") { name } }', (1, 23)),
        ('{ Patient(id: "p1") { id { x } } }', (1, 23)),
        ("{ Patient { id } }", (1, 3)),
        ("{ Patient(id: 5) { id } }", (1, 3)),
        ('{ PatientList(colour: "red") { id } }', (1, 3)),
        ("{ PatientList(_count: -1) { id } }", (1, 3)),
        ('{ PatientList(fhirpath: "(") { id } }', (1, 3)),
        ("{ PatientList(name: $x) { id } }", (1, 21)),
        ("{ PatientList { ObservationList { id } } }", (1, 17)),
        ("{ PatientList { ObservationList(_reference: code) { id } } }", (1, 17)),
        ("{ PatientList { name(colour: 1) { family } } }", (1, 17)),
        ("{ PatientList { gender(use: 1) } }", (1, 17)),
        ("{ PatientList { id @upper } }", (1, 20)),
        ("{ PatientList { name @slice { family } } }", (1, 22)),
        ("{ PatientList { id @include } }", (1, 20)),
        ("{ PatientList { ...A } } ", (1, 17)),
        ("{ PatientList { ...A } } fragment A on Patient { ...A }", (1, 50)),
        ("{ PatientList { ... on Car { id } } }", (1, 17)),
        ("{ ObservationList { value { unit } } }", (1, 29)),
        ("{ ObservationList { subject { resource { name } } } }", (1, 42)),
        ("mutation { PatientDelete(id: 1) { id } }", (1, 1)),
        ("{ PatientConnection { edges { node { id } } } }", (1, 31)),
    ],
)
def test_what_is_wrong_is_told_with_its_place(one, query, place):
    status, found = errors(one, query)

    assert status == 400
    assert {"line": place[0], "column": place[1]} in found[0]["locations"]


def test_a_value_that_no_search_reads_is_told_with_its_path(one):
    status, [error] = errors(one, '{ a: PatientList(birthdate: "x") { id } }')

    assert (status, error["path"]) == (200, ["a"])


@pytest.mark.parametrize(
    "query",
    [
        "{ PatientList " + "{ contained " * 30 + "{ id }" + "}" * 31,
        "{ PatientList { " + " ".join(f"a{n}: id" for n in range(plan.MOST_FIELDS)) + " } }",
        "{ PatientList { ...A0 } }"
        + "".join(f"fragment A{n} on Patient {{ ...A{n + 1} ...A{n + 1} }}" for n in range(40))
        + "fragment A40 on Patient { id }",
        "[" * 5000,
        "{ a(b: " + "[" * 3000 + "]" * 3000 + ") }",
    ],
)
def test_a_query_has_bounds(one, query):
    assert errors(one, query)[0] == 400


def test_an_answer_has_bounds(one, monkeypatch):
    from fhir_server.operations.graphql import execute

    monkeypatch.setattr(execute, "MOST_OBJECTS", 5)

    assert asked(one, "{ PatientList { name { family } } }").status_code == 503


# Who asks


def test_hidden_and_absent_are_the_same(record):
    query = '{{ Patient(id: "{}") {{ id }} o: ObservationList {{ id }} }}'

    for id in ("p2", "nobody"):
        status, [error] = errors(record, query.format(id), by="patient")
        assert (status, error["message"]) == (200, f"There is no Patient/{id}.")
    found = data(record, query.format("p1"), by="patient")
    assert [each["id"] for each in found["o"]] == ["v1", "v2"]
    assert asked(record, "{ id }", "Patient/p2/$graphql", by="patient").status_code == 404


def test_a_type_that_is_not_for_the_caller_is_empty(one):
    assert data(one, "{ PatientList { id } }", by="admin") == {"PatientList": []}


def test_the_hubs_own_records_are_no_part_of_it(one):
    assert errors(one, '{ token(id: "x") { id } }')[0] == 400
    assert errors(one, "{ siteList { id } }")[0] == 400


@pytest.mark.parametrize(
    "path",
    [
        "descendants().exists()",
        "%resource.name.exists()",
        "select($this.combine($this)).exists()",
        "family.replace('a', 'aa') = 'x'",
        "use = 'a' or " * 100 + "true",
    ],
)
def test_a_filter_costs_no_more_than_it_is_long(one, path):
    query = f'{{ name(fhirpath: "{path}") {{ use }} }}'

    status, [error] = errors(one, query, "Patient/p1/$graphql")
    assert status == 400
    assert "filter" in error["message"]


def test_parameters_that_users_define_are_known(one):
    one.put_in(
        {
            "resourceType": "SearchParameter",
            "id": "x",
            "url": "urn:x",
            "name": "x",
            "status": "active",
            "description": "x",
            "code": "maiden",
            "base": ["Patient"],
            "type": "string",
            "expression": "Patient.name.where(use = 'maiden').family",
        }
    )
    one.put_in(PATIENT)

    answer = asked(one, '{ PatientList(maiden: "windsor") { id } }')

    assert answer.status_code == 503
    assert "maiden" in answer.text


def test_what_is_rendered_is_not_a_list(one):
    assert errors(one, "{ AuditEventList { id } }")[0] == 400
