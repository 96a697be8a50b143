"""The three kinds of patch over HTTP. https://hl7.org/fhir/R4/http.html#patch"""

import base64
import json

import pytest

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "identifier": [{"system": "urn:s", "value": "1"}],
}
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
FHIR = "application/fhir+json"
TO_FALSE = {
    JSON_PATCH: [{"op": "replace", "path": "/active", "value": False}],
    MERGE: {"active": False},
    FHIR: {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "Patient.active"},
                    {"name": "value", "valueBoolean": False},
                ],
            }
        ],
    },
}
KINDS = pytest.mark.parametrize("media", TO_FALSE)


@pytest.fixture(autouse=True)
def written(hub):
    hub.put_in(PATIENT)


def entry(media, url="Patient/p1"):
    """Return the entry of a Bundle that patches: FHIRPath as Parameters, others in a Binary."""
    resource = TO_FALSE[media]
    if media != FHIR:
        data = base64.b64encode(json.dumps(resource).encode()).decode()
        resource = {"resourceType": "Binary", "contentType": media, "data": data}
    return {"resource": resource, "request": {"method": "PATCH", "url": url}}


@KINDS
@pytest.mark.parametrize("url", ["Patient/p1", "Patient?identifier=urn:s|1"])
def test_a_patch_makes_the_next_version(hub, media, url):
    answer = hub.patch(url, TO_FALSE[media], headers={"Content-Type": media})

    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == 'W/"2"'
    assert answer.json()["active"] is False
    assert hub.get("Patient/p1").json()["active"] is False


@KINDS
@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("url", ["Patient/p1", "Patient?identifier=1"])
def test_a_patch_works_inside_a_bundle(hub, media, kind, url):
    body = {"resourceType": "Bundle", "type": kind, "entry": [entry(media, url)]}

    [told] = hub.post("", body).json()["entry"]

    assert told["response"]["status"].startswith("200")
    assert hub.get("Patient/p1").json()["active"] is False


@KINDS
def test_a_patch_that_changes_nothing_makes_no_version(hub, media):
    headers = {"Content-Type": media, "Prefer": "return=OperationOutcome"}
    hub.patch("Patient/p1", TO_FALSE[media], headers=headers)

    answer = hub.patch("Patient/p1", TO_FALSE[media], headers=headers)

    assert answer.headers["ETag"] == 'W/"2"'
    assert "Nothing changed" in answer.json()["issue"][0]["diagnostics"]


@KINDS
def test_a_patch_heeds_if_match(hub, media):
    headers = {"Content-Type": media, "If-Match": 'W/"7"'}

    assert hub.patch("Patient/p1", TO_FALSE[media], headers=headers).status_code == 412


@KINDS
def test_a_conditional_patch_matches_one(hub, media):
    """ "No matches: … returns a 404"; "Multiple matches: … 412"."""
    headers = {"Content-Type": media}
    hub.put_in(PATIENT | {"id": "p2"})

    several = hub.patch("Patient?identifier=urn:s|1", TO_FALSE[media], headers=headers)
    none = hub.patch("Patient?identifier=urn:s|2", TO_FALSE[media], headers=headers)

    assert (several.status_code, none.status_code) == (412, 404)


@pytest.mark.parametrize(
    ("media", "patch", "status"),
    [
        (MERGE, [], 400),
        (MERGE, {"id": "q"}, 422),
        (MERGE, {"resourceType": None}, 422),
        (MERGE, {"meta": 1}, 422),
        (MERGE, {"gender": "?"}, 422),
        (FHIR, {"resourceType": "Patient"}, 400),
        (FHIR, {"resourceType": "Parameters", "parameter": 1}, 400),
    ],
)
def test_what_cannot_be_applied_changes_nothing(hub, media, patch, status):
    answer = hub.patch("Patient/p1", patch, headers={"Content-Type": media})

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert hub.get("Patient/p1").json()["active"] is True


def test_a_refused_kind_names_those_that_are_taken(hub):
    answer = hub.patch("Patient/p1", [], headers={"Content-Type": "application/json"})

    assert answer.status_code == 415
    assert answer.headers["Accept-Patch"] == f"{JSON_PATCH}, {MERGE}, {FHIR}"
