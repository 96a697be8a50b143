"""Read, conditional read, vread. https://hl7.org/fhir/R4/http.html#read"""

import pytest

PATIENT = {"resourceType": "Patient", "id": "p1", "active": True, "name": [{"family": "王"}]}


@pytest.fixture(autouse=True)
def written(hub):
    hub.put_in(PATIENT)


def test_read_answers_with_the_resource(hub):
    answer = hub.get("Patient/p1")

    assert answer.status_code == 200
    found = answer.json()
    del found["meta"]
    assert found == PATIENT


def test_read_tells_version_and_time(hub):
    answer = hub.get("Patient/p1")

    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Last-Modified"] == "Thu, 28 May 2026 20:26:41 GMT"
    assert answer.json()["meta"]["versionId"] == "1"


def test_what_is_absent_is_not_found(hub):
    answer = hub.get("Patient/nobody")

    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "not-found"


def test_what_is_deleted_is_gone(hub):
    hub.delete("Patient/p1")

    answer = hub.get("Patient/p1")

    assert answer.status_code == 410
    assert answer.json()["issue"][0]["code"] == "deleted"


def test_head_is_read_without_the_body(hub):
    answer = hub("HEAD", "Patient/p1")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == hub.get("Patient/p1").headers["Content-Length"]


@pytest.mark.parametrize("tag", ['W/"1"', '"1"', '"7", W/"1"', "*"])
def test_a_known_version_is_not_sent_again(hub, tag):
    answer = hub.get("Patient/p1", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


def test_another_version_is_sent(hub):
    assert hub.get("Patient/p1", headers={"If-None-Match": 'W/"2"'}).status_code == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Thu, 28 May 2026 20:26:41 GMT", 304),
        ("Thu, 28 May 2026 20:26:40 GMT", 200),
        ("yesterday", 200),
    ],
)
def test_what_was_not_modified_since_is_not_sent(hub, since, status):
    answer = hub.get("Patient/p1", headers={"If-Modified-Since": since})

    assert answer.status_code == status


def test_vread_answers_with_an_old_version(hub):
    hub.put("Patient/p1", PATIENT | {"active": False})

    assert hub.get("Patient/p1/_history/1").json()["active"] is True
    assert hub.get("Patient/p1/_history/2").json()["active"] is False


@pytest.mark.parametrize("vid", ["2", "0", "x"])
def test_vread_of_no_version_is_not_found(hub, vid):
    assert hub.get(f"Patient/p1/_history/{vid}").status_code == 404


def test_vread_of_the_deletion_is_gone(hub):
    hub.delete("Patient/p1")

    assert hub.get("Patient/p1/_history/2").status_code == 410


def test_old_versions_outlive_the_deletion(hub):
    hub.delete("Patient/p1")

    assert hub.get("Patient/p1/_history/1").status_code == 200


def test_an_unknown_parameter_is_named(hub):
    answer = hub.get("Patient/p1?colour=red")

    assert answer.status_code == 400
    assert "colour" in answer.json()["issue"][0]["diagnostics"]
