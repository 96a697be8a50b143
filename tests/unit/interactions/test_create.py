"""Create and conditional create. https://hl7.org/fhir/R4/http.html#create"""

import asyncio

import pytest

PATIENT = {"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "1"}]}


def test_create_answers_with_the_new_resource(hub):
    answer = hub.post("Patient", PATIENT)

    assert answer.status_code == 201
    assert answer.json()["identifier"] == PATIENT["identifier"]
    assert hub.get(f"Patient/{answer.json()['id']}").content == answer.content


def test_create_tells_where_the_version_is(hub):
    answer = hub.post("Patient", PATIENT)

    place = f"http://hub.test/fhir/Patient/{answer.json()['id']}/_history/1"
    assert answer.headers["Location"] == place
    assert answer.headers["ETag"] == 'W/"1"'
    assert hub.get(place).status_code == 200


def test_create_ignores_the_id_of_the_body(hub):
    assert hub.made(PATIENT | {"id": "mine"}) != "mine"


def test_create_ignores_the_servers_part_of_meta(hub):
    meta = {"versionId": "7", "lastUpdated": "2001-01-01T00:00:00Z", "source": "urn:x"}

    found = hub.post("Patient", PATIENT | {"meta": meta}).json()["meta"]

    assert (found["versionId"], found["source"]) == ("1", "urn:x")
    assert found["lastUpdated"].startswith("2026-")


def test_digits_come_back_as_sent(hub):
    body = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.00},"component":[{"code":{"text":"y"},'
        b'"valueQuantity":{"value":0.000000100}}]}'
    )

    answer = hub.post("Observation", body)

    assert answer.content.endswith(body.partition(b",")[2])


def test_another_type_in_the_body_is_a_bad_request(hub):
    assert hub.post("Observation", PATIENT).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"{}", b"null", b"not json"])
def test_a_body_that_is_no_resource_is_a_bad_request(hub, body):
    answer = hub.post("Patient", body)

    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_resource_that_breaks_the_rules_is_unprocessable_with_all_problems(hub):
    answer = hub.post("Patient", PATIENT | {"gender": "x", "active": "x"})

    assert answer.status_code == 422
    places = {issue["expression"][0] for issue in answer.json()["issue"]}
    assert places == {"Patient.gender", "Patient.active"}


@pytest.mark.parametrize("meta", [None, [], "x", 1])
def test_a_meta_that_is_no_object_is_unprocessable(hub, meta):
    hub.put_in(PATIENT | {"id": "p1"})
    broken = PATIENT | {"id": "p1", "meta": meta}
    operations = [{"op": "add", "path": "/meta", "value": meta}]

    answers = [
        hub.post("Patient", broken),
        hub.put("Patient/p1", broken),
        hub.patch("Patient/p1", operations),
    ]

    assert [answer.status_code for answer in answers] == [422] * 3


def test_a_number_beyond_all_ranges_is_stored_and_found(hub):
    number = "9" * 400
    body = (
        '{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        f'"valueQuantity":{{"value":{number}}}}}'
    )

    answer = hub.post("Observation", body.encode())

    assert number in answer.text
    assert len(hub.ids("Observation?value-quantity=gt1")) == 1


@pytest.mark.parametrize(
    ("returns", "kind"), [("minimal", None), ("OperationOutcome", "OperationOutcome")]
)
def test_prefer_says_what_comes_back(hub, returns, kind):
    answer = hub.post("Patient", PATIENT, headers={"Prefer": f"return={returns}"})

    assert answer.status_code == 201
    assert "Location" in answer.headers
    assert (answer.json()["resourceType"] if answer.content else None) == kind


def test_nothing_is_created_where_something_matches(hub):
    known = hub.made(PATIENT)

    answer = hub.post("Patient", PATIENT, headers={"If-None-Exist": "identifier=urn:s|1"})

    assert (answer.status_code, answer.json()["id"]) == (200, known)
    assert hub.ids("Patient") == [f"Patient/{known}"]


def test_it_is_created_where_nothing_matches(hub):
    hub.made(PATIENT)

    answer = hub.post("Patient", PATIENT, headers={"If-None-Exist": "identifier=urn:s|2"})

    assert answer.status_code == 201


def test_several_matches_are_a_failed_precondition(hub):
    hub.made(PATIENT)
    hub.made(PATIENT)

    answer = hub.post("Patient", PATIENT, headers={"If-None-Exist": "identifier=urn:s|1"})

    assert answer.status_code == 412


@pytest.mark.parametrize("criteria", ["", "foo=1", "_sort=name", "identifier"])
def test_criteria_that_are_none_are_a_bad_request(hub, criteria):
    answer = hub.post("Patient", PATIENT, headers={"If-None-Exist": criteria or "?"})

    assert answer.status_code == 400


def test_many_equal_conditional_creates_make_one(hub):
    async def all_at_once():
        asks = (
            hub.ask("POST", "Patient", PATIENT, headers={"If-None-Exist": f"identifier={which}"})
            for which in ("urn:s|1", "1") * 16
        )
        return await asyncio.gather(*asks)

    answers = hub.run(all_at_once())

    assert {answer.status_code for answer in answers} == {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(hub.ids("Patient")) == 1
