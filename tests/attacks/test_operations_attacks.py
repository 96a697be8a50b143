"""What went wrong on other servers, tried on the operations here."""

import json
from dataclasses import replace

import pytest
from attack_worlds import CALLERS, RULES, START, World, build, item, observation, patient

from fhir_server.authz.grant import Grant

GRANT = Grant("p1", "clinic", "Consent/1", 0, rule=RULES[0].id)
WORLD = World(
    items=(
        item(patient("p1"), "hospital"),
        item(patient("p2", "Wang"), "hospital"),
        *(item(observation(f"o{n}", "p1", value=n), "hospital") for n in (1, 2, 3)),
        item(
            observation("o4", "p2")
            | {"focus": [{"reference": "Patient/p1"}], "note": [{"text": "of p2"}]},
            "hospital",
        ),
    ),
    grants=(GRANT,),
)
JSON = {"Content-Type": "application/json"}
CONNECTION = """query($cursor: ID) { ObservationConnection(_count: 1, _cursor: $cursor) {
    count next edges { resource { id } } } }"""


@pytest.fixture
def city(hub):
    """A hub where a consent lets the clinic read p1 of the hospital."""
    now = START + 20_000_000
    hub.callers |= {name: replace(each, now=now) for name, each in CALLERS.items()}
    hub.run(build(hub, WORLD, lambda made: True))
    return hub


def revoke(hub):
    """End the grant, as a withdrawn consent does."""
    hub.run(hub.server.store.commit([replace(GRANT, until=hub.clock.now).write()]))


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [each["resource"]["id"] for each in answer.json().get("entry", ())]


def following(answer):
    return next(each["url"] for each in answer.json()["link"] if each["relation"] == "next")


def asked(hub, query, by, path="$graphql", **variables):
    body = json.dumps({"query": query, "variables": variables}).encode()
    return hub("POST", path, body, by=by, headers=JSON).json()


def test_a_reference_that_is_no_compartment_parameter_makes_no_member(city):
    """`Observation.focus` names the patient; `subject` decides whose record it is."""
    found = ids(city.get("Patient/p1/$everything", by="hospital"))

    assert found == ["p1", "o1", "o2", "o3"]


def test_a_later_page_follows_the_rights_of_its_moment(city):
    page = city.get("Patient/p1/$everything?_count=2", by="clinic")
    assert ids(page) == ["p1", "o1"]

    revoke(city)

    assert city.get(following(page), by="clinic").status_code == 404


def test_a_later_page_of_all_patients_follows_them_too(city):
    page = city.get("Patient/$everything?_count=2", by="clinic")
    assert ids(page) == ["p1", "o1"]

    revoke(city)

    assert ids(city.get(following(page), by="clinic")) == []


def test_a_later_page_of_a_connection_follows_them_too(city):
    one = asked(city, CONNECTION, "clinic")["data"]["ObservationConnection"]
    assert (one["count"], len(one["edges"])) == (3, 1)

    revoke(city)

    two = asked(city, CONNECTION, "clinic", cursor=one["next"])["data"]["ObservationConnection"]
    assert (two["count"], two["edges"]) == (0, [])


@pytest.mark.parametrize(
    "request_",
    [
        ("GET", "Observation/$lastn?patient=p1&code=bp", None),
        ("POST", "Patient/$match", {"resourceType": "Patient", "identifier": [
            {"system": "urn:s", "value": "1"}]}),
    ],
)  # fmt: skip
def test_nothing_is_left_of_a_grant_that_ended(city, request_):
    method, path, body = request_
    before = ids(city(method, path, body, by="clinic"))

    revoke(city)

    assert before != []
    assert ids(city(method, path, body, by="clinic")) == []


def test_one_query_does_not_answer_another_caller(city):
    """The same text is parsed once; what it reads is read for each caller."""
    query = '{ PatientList { id } Patient(id: "p2") { id } }'

    seen = {by: asked(city, query, by)["data"] for by in ("hospital", "clinic", "patient")}

    assert [each["id"] for each in seen["hospital"]["PatientList"]] == ["p1", "p2"]
    assert [each["id"] for each in seen["clinic"]["PatientList"]] == ["p1"]
    assert seen["clinic"]["Patient"] is None
    assert seen["patient"]["Patient"] is None


def test_nested_references_ask_for_the_same_rights(city):
    query = """{ Observation(id: "o4") { id }
        ObservationList(focus: "Patient/p1") { id }
        PatientList { id ObservationList(_reference: focus) { note { text } } } }"""

    answer = asked(city, query, "clinic")

    assert answer["data"] == {
        "Observation": None,
        "ObservationList": [],
        "PatientList": [{"id": "p1", "ObservationList": []}],
    }
    assert "of p2" not in json.dumps(answer)


def test_what_did_not_change_is_in_one_page_whatever_is_written(city):
    page = city.get("Patient/p1/$everything?_count=2", by="hospital")
    found = ids(page)
    city.put_in(observation("o1", "p1", value=2), observation("o0", "p1"), by="open")
    while '"next"' in page.text:
        page = city.get(following(page), by="hospital")
        found += ids(page)

    assert [id for id in found if id in ("p1", "o2", "o3")] == ["p1", "o2", "o3"]
