"""Update, its conditional form, patch and delete. https://hl7.org/fhir/R4/http.html#update"""

import asyncio

import pytest

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "identifier": [{"system": "urn:s", "value": "1"}],
}
OFF = PATIENT | {"active": False}


def test_update_makes_the_next_version(hub):
    hub.put_in(PATIENT)

    answer = hub.put("Patient/p1", OFF)

    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert answer.json()["active"] is False


def test_update_creates_where_the_caller_may_choose_ids(hub):
    answer = hub.put("Patient/p1", PATIENT)

    assert (answer.status_code, answer.json()["id"]) == (201, "p1")


def test_update_does_not_create_for_staff(hub):
    answer = hub.put("Patient/p1", PATIENT, by="physician")

    assert answer.status_code == 405


def test_an_update_that_changes_nothing_makes_no_version(hub):
    hub.put_in(PATIENT)

    answer = hub.put("Patient/p1", dict(reversed(PATIENT.items())))

    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"1"')


def test_another_number_of_digits_is_a_change(hub):
    body = b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},%s}'
    hub.put("Observation/o", body % b'"valueQuantity":{"value":1.0}')

    answer = hub.put("Observation/o", body % b'"valueQuantity":{"value":1.00}')

    assert answer.headers["ETag"] == 'W/"2"'


@pytest.mark.parametrize("body", [OFF | {"id": "p2"}, {"resourceType": "Patient"}])
def test_the_id_of_the_body_must_be_that_of_the_address(hub, body):
    answer = hub.put("Patient/p1", body)

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Patient.id"]


def test_if_match_of_the_latest_version_is_met(hub):
    hub.put_in(PATIENT)

    assert hub.put("Patient/p1", OFF, headers={"If-Match": 'W/"1"'}).status_code == 200


@pytest.mark.parametrize("tag", ['W/"2"', 'W/"3"', 'W/"x"', 'W/"0"', '"x-1"', 'W/""'])
def test_if_match_of_another_version_is_not(hub, tag):
    hub.put_in(PATIENT)

    assert hub.put("Patient/p1", OFF, headers={"If-Match": tag}).status_code == 412
    assert hub.get("Patient/p1").headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("tag", ["1", "*", "x", 'W/"1", W/"2"'])
def test_an_if_match_that_is_no_tag_is_a_bad_request(hub, tag):
    assert hub.put("Patient/p1", PATIENT, headers={"If-Match": tag}).status_code == 400


def test_if_match_creates_nothing(hub):
    assert hub.put("Patient/p1", PATIENT, headers={"If-Match": 'W/"1"'}).status_code == 412


def test_update_brings_back_what_was_deleted(hub):
    hub.put_in(PATIENT)
    hub.delete("Patient/p1")

    answer = hub.put("Patient/p1", PATIENT)

    assert (answer.status_code, answer.headers["ETag"]) == (201, 'W/"3"')


def test_of_many_updates_under_one_if_match_one_wins(hub):
    hub.put_in(PATIENT)

    async def all_at_once():
        asks = (
            hub.ask("PUT", "Patient/p1", OFF | {"gender": g}, headers={"If-Match": 'W/"1"'})
            for g in ("male", "female", "other", "unknown")
        )
        return await asyncio.gather(*asks)

    assert sorted(a.status_code for a in hub.run(all_at_once())) == [200, 412, 412, 412]


def test_updates_without_if_match_all_come_through(hub):
    hub.put_in(PATIENT)

    async def all_at_once():
        asks = (hub.ask("PUT", "Patient/p1", PATIENT | {"language": f"x-{n}"}) for n in range(12))
        return await asyncio.gather(*asks)

    assert {a.status_code for a in hub.run(all_at_once())} == {200}
    assert hub.get("Patient/p1").headers["ETag"] == 'W/"13"'


# https://hl7.org/fhir/R4/http.html#cond-update


def test_a_conditional_update_updates_the_one_that_matches(hub):
    hub.put_in(PATIENT)
    body = {name: value for name, value in OFF.items() if name != "id"}

    answer = hub.put("Patient?identifier=urn:s|1", body)

    assert (answer.status_code, answer.json()["id"]) == (200, "p1")
    assert hub.get("Patient/p1").json()["active"] is False


def test_a_conditional_update_creates_where_nothing_matches(hub):
    body = {name: value for name, value in OFF.items() if name != "id"}

    answer = hub.put("Patient?identifier=urn:s|1", body)

    assert answer.status_code == 201


def test_a_conditional_update_of_several_is_refused(hub):
    hub.put_in(PATIENT, PATIENT | {"id": "p2"})

    assert hub.put("Patient?identifier=urn:s|1", OFF).status_code == 412


def test_a_conditional_update_with_another_id_is_a_bad_request(hub):
    hub.put_in(PATIENT)

    assert hub.put("Patient?identifier=urn:s|1", OFF | {"id": "p2"}).status_code == 400


def test_a_conditional_update_that_names_what_does_not_match_is_a_conflict(hub):
    hub.put_in(PATIENT)

    assert hub.put("Patient?identifier=urn:s|2", OFF).status_code == 409


def test_many_equal_conditional_updates_make_one(hub):
    body = {name: value for name, value in OFF.items() if name != "id"}

    async def all_at_once():
        asks = (
            hub.ask("PUT", f"Patient?identifier={which}", body) for which in ("urn:s|1", "1") * 16
        )
        return await asyncio.gather(*asks)

    assert {a.status_code for a in hub.run(all_at_once())} == {200, 201}
    assert len(hub.ids("Patient")) == 1


# https://hl7.org/fhir/R4/http.html#patch


def test_patch_makes_the_next_version(hub):
    hub.put_in(PATIENT)

    answer = hub.patch("Patient/p1", [{"op": "replace", "path": "/active", "value": False}])

    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert hub.get("Patient/p1").json()["active"] is False


def test_patch_keeps_digits(hub):
    hub.put(
        "Observation/o",
        b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.00}}',
    )

    answer = hub.patch("Observation/o", [{"op": "replace", "path": "/code/text", "value": "y"}])

    assert b'"value":1.00' in answer.content


def test_a_patch_that_fails_changes_nothing(hub):
    hub.put_in(PATIENT)

    answer = hub.patch("Patient/p1", [{"op": "test", "path": "/active", "value": False}])

    assert answer.status_code == 422
    assert hub.get("Patient/p1").headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("path", ["/id", "/resourceType"])
def test_a_patch_does_not_change_the_name(hub, path):
    hub.put_in(PATIENT)

    assert hub.patch("Patient/p1", [{"op": "add", "path": path, "value": "Q"}]).status_code == 422


def test_a_patched_resource_must_keep_the_rules(hub):
    hub.put_in(PATIENT)

    answer = hub.patch("Patient/p1", [{"op": "add", "path": "/bogus", "value": 1}])

    assert answer.status_code == 422


def test_a_patch_under_an_old_if_match_is_refused(hub):
    hub.put_in(PATIENT)
    operations = [{"op": "replace", "path": "/active", "value": False}]

    answer = hub.patch("Patient/p1", operations, headers={"If-Match": 'W/"2"'})

    assert answer.status_code == 412


def test_a_patch_of_nothing_is_not_found(hub):
    assert hub.patch("Patient/p1", []).status_code == 404


def test_a_conditional_patch_finds_its_resource(hub):
    hub.put_in(PATIENT)
    operations = [{"op": "replace", "path": "/active", "value": False}]

    assert hub.patch("Patient?identifier=1", operations).status_code == 200


@pytest.mark.parametrize("media", ["application/json", "application/xml-patch+xml", "text/plain"])
def test_other_kinds_of_patch_are_refused(hub, media):
    hub.put_in(PATIENT)

    answer = hub.patch("Patient/p1", [], headers={"Content-Type": media})

    assert answer.status_code == 415


# https://hl7.org/fhir/R4/http.html#delete


def test_delete_has_no_content(hub):
    hub.put_in(PATIENT)

    answer = hub.delete("Patient/p1")

    assert (answer.status_code, answer.content) == (204, b"")
    assert hub.ids("Patient") == []


def test_deleting_twice_is_no_error(hub):
    hub.put_in(PATIENT)
    hub.delete("Patient/p1")

    assert hub.delete("Patient/p1").status_code == 204
    assert len(hub.get("Patient/p1/_history").json()["entry"]) == 2


def test_deleting_what_never_was_is_no_error(hub):
    assert hub.delete("Patient/p1").status_code == 204


def test_delete_under_an_old_if_match_is_refused(hub):
    hub.put_in(PATIENT)

    assert hub.delete("Patient/p1", headers={"If-Match": 'W/"2"'}).status_code == 412


def test_a_conditional_delete_deletes_the_one_that_matches(hub):
    hub.put_in(PATIENT)

    assert hub.delete("Patient?identifier=urn:s|1").status_code == 204
    assert hub.get("Patient/p1").status_code == 410


def test_a_conditional_delete_takes_all_that_match(hub):
    """ "Multiple matches: a server may … delete all the matching resources." """
    hub.put_in(PATIENT, PATIENT | {"id": "p2"}, {"resourceType": "Patient", "id": "p3"})

    assert hub.delete("Patient?identifier=urn:s|1").status_code == 204
    assert hub.ids("Patient") == ["Patient/p3"]


def test_a_conditional_delete_of_too_many_deletes_nothing(make_hub):
    """ "… or return a 412 Precondition Failed error indicating the client's criteria were not
    selective enough." """
    hub = make_hub(settings={"delete_limit": 1})
    hub.put_in(PATIENT, PATIENT | {"id": "p2"})

    assert hub.delete("Patient?identifier=urn:s|1").status_code == 412
    assert len(hub.ids("Patient")) == 2


def test_a_delete_tells_what_it_did_when_preferred(hub):
    """ "200 OK if the response contains a payload." """
    hub.put_in(PATIENT, PATIENT | {"id": "p2"})
    prefer = {"Prefer": "return=OperationOutcome"}

    told = hub.delete("Patient?identifier=urn:s|1", headers=prefer)
    again = hub.delete("Patient/p1", headers=prefer)

    assert told.status_code == again.status_code == 200
    words = told.json()["issue"][0]["diagnostics"]
    assert "Patient/p1" in words
    assert "Patient/p2" in words
    assert again.json()["issue"][0]["diagnostics"] == "There was nothing to delete."


def test_put_if_none_match_creates_only(hub):
    assert hub.put("Patient/p1", PATIENT, headers={"If-None-Match": "*"}).status_code == 201
    assert hub.put("Patient/p1", PATIENT, headers={"If-None-Match": "*"}).status_code == 412


def test_choosing_ids_can_be_switched_off(make_hub):
    hub = make_hub(settings={"update_create": False})

    assert hub.put("Patient/p1", PATIENT).status_code == 405


def test_a_conditional_delete_without_criteria_is_a_bad_request(hub):
    hub.put_in(PATIENT)

    assert hub.delete("Patient").status_code == 400


@pytest.mark.parametrize("id", ["", " ", "a/b", 1, {}, "x" * 65])
def test_a_conditional_update_with_what_is_no_id_is_a_bad_request(hub, id):
    answer = hub.put("Patient?identifier=urn:s|1", PATIENT | {"id": id})

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Patient.id"]
