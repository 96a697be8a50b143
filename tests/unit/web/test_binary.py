"""https://hl7.org/fhir/R4/binary.html#rest"""

import base64
import os

import pytest

PDF = b"%PDF-1.7 \x00\xff"
FHIR = {"Accept": "application/fhir+json"}


def resource(content=PDF, media="application/pdf", **more):
    data = base64.b64encode(content).decode()
    return {"resourceType": "Binary", "id": "b", "contentType": media, "data": data, **more}


def test_a_body_that_is_not_fhir_becomes_a_binary(hub):
    """ "POST … the content is stored as is, with the content type of the header." """
    made = hub.post("Binary", PDF, headers={"Content-Type": "application/pdf"})

    assert made.status_code == 201
    found = hub.get(f"Binary/{made.json()['id']}", headers=FHIR).json()
    assert found["contentType"] == "application/pdf"
    assert base64.b64decode(found["data"]) == PDF


def test_a_put_of_content_is_an_update(hub):
    hub.put_in(resource())

    answer = hub("PUT", "Binary/b", b"hello", headers={"Content-Type": "text/plain; charset=utf-8"})

    assert answer.status_code == 200
    found = hub.get("Binary/b")
    assert (found.content, found.headers["Content-Type"]) == (b"hello", "text/plain; charset=utf-8")


@pytest.mark.parametrize("accept", ["", "*/*", "application/pdf", "text/html, application/*;q=0.1"])
@pytest.mark.parametrize("path", ["Binary/b", "Binary/b/_history/1"])
def test_without_a_fhir_format_the_content_is_given(hub, path, accept):
    hub.put_in(resource())

    answer = hub.get(path, headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.content == PDF


@pytest.mark.parametrize(
    "accept", ["application/fhir+json", "application/json+fhir", "*/*, application/fhir+json;q=0.1"]
)
def test_with_a_fhir_format_the_resource_is_given(hub, accept):
    hub.put_in(resource())

    assert hub.get("Binary/b", headers={"Accept": accept}).json()["resourceType"] == "Binary"


@pytest.mark.parametrize("path", ["Binary/b?_format=json", "Binary?_id=b", "Binary/b/_history"])
def test_what_is_not_a_plain_read_is_fhir(hub, path):
    hub.put_in(resource())

    assert hub.get(path).headers["Content-Type"].startswith("application/fhir+json")


def test_plain_json_is_the_resource_where_the_content_is_not_json(hub):
    hub.put_in(resource())

    assert hub.get("Binary/b", headers={"Accept": "application/json"}).json()["id"] == "b"


def test_json_content_is_given_as_such(hub):
    hub.put_in(resource(b"[1]", "application/json"))

    assert hub.get("Binary/b", headers={"Accept": "application/json"}).content == b"[1]"


@pytest.mark.parametrize("accept", ["image/png", "application/fhir+xml", "application/pdf;q=0"])
def test_what_is_not_accepted_is_not_sent(hub, accept):
    hub.put_in(resource())

    assert hub.get("Binary/b", headers={"Accept": accept}).status_code == 406


def test_xml_of_fhir_is_not_content(hub):
    answer = hub.post("Binary", b"<Binary/>", headers={"Content-Type": "application/fhir+xml"})

    assert answer.status_code == 415


def test_content_never_runs_as_a_page_of_the_hub(hub):
    hub.put_in(resource(b"<script>alert(1)</script>", "text/html"))

    headers = hub.get("Binary/b").headers

    assert headers["Content-Disposition"] == "attachment"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_head_tells_the_length(hub):
    hub.put_in(resource())

    answer = hub("HEAD", "Binary/b")

    assert answer.headers["Content-Length"] == str(len(PDF))
    assert answer.content == b""


def test_a_known_version_is_not_sent_again(hub):
    hub.put_in(resource())

    assert hub.get("Binary/b", headers={"If-None-Match": 'W/"1"'}).status_code == 304


def test_no_content_is_empty(hub):
    hub.put_in({"resourceType": "Binary", "id": "b", "contentType": "text/plain"})

    assert hub.get("Binary/b").content == b""


@pytest.mark.parametrize("size", [1, 2, 3, 786_431, 786_432, 786_433, 3_000_000])
def test_large_content_comes_back_part_by_part(make_hub, size):
    hub = make_hub()
    content = os.urandom(size)
    made = hub.post("Binary", content, headers={"Content-Type": "application/octet-stream"})

    answer = hub.get(f"Binary/{made.json()['id']}")

    assert answer.content == content
    assert answer.headers["Content-Length"] == str(size)


# https://hl7.org/fhir/R4/binary.html: "X-Security-Context"


@pytest.fixture
def guarded(hub):
    """A hospital's Binary about p1, and another institution's about p2."""
    hub.put_in({"resourceType": "Patient", "id": "p1"}, {"resourceType": "Patient", "id": "p2"})
    return hub


def test_the_header_is_the_security_context(guarded):
    headers = {"Content-Type": "application/pdf", "X-Security-Context": "Patient/p1"}
    id = guarded.post("Binary", PDF, headers=headers).json()["id"]

    answer = guarded.get(f"Binary/{id}")

    assert answer.headers["X-Security-Context"] == "Patient/p1"
    found = guarded.get(f"Binary/{id}", headers=FHIR).json()
    assert found["securityContext"] == {"reference": "Patient/p1"}


@pytest.mark.parametrize(("context", "status"), [("Patient/p1", 200), ("Patient/p2", 404)])
def test_access_follows_the_security_context(guarded, context, status):
    guarded.put_in(resource(securityContext={"reference": context}))

    assert guarded.get("Binary/b", by="patient").status_code == status
    assert guarded.get("Binary/b/_history/1", by="patient").status_code == status


@pytest.fixture
def shared(guarded):
    """Two institutions' patients, and a Binary of the hospital for each, and one for all."""
    guarded.put_in({"resourceType": "Patient", "id": "own"}, by="feed")
    guarded.put_in(resource(id="all"), by="feed")
    guarded.put_in(
        resource(id="mine", securityContext={"reference": "Patient/own"}),
        resource(id="hidden", securityContext={"reference": "Patient/p2"}),
    )
    return guarded


@pytest.mark.parametrize(
    ("by", "found"),
    [("physician", ["Binary/all"]), ("open", ["Binary/all", "Binary/mine", "Binary/hidden"])],
)
def test_a_search_lists_none_that_follows_a_context(shared, by, found):
    assert sorted(shared.ids("Binary", by=by)) == sorted(found)


@pytest.mark.parametrize(("id", "status"), [("all", 200), ("mine", 200), ("hidden", 404)])
def test_a_history_follows_the_context(shared, id, status):
    assert shared.get(f"Binary/{id}/_history", by="physician").status_code == status


def test_the_history_of_a_type_follows_the_context(shared):
    assert set(shared.ids("Binary/_history", by="physician")) == {"Binary/all", "Binary/mine"}


@pytest.mark.parametrize("context", ["Patient/p1", "Patient/nobody"])
def test_a_context_that_is_hidden_is_as_one_that_is_absent(guarded, context):
    answer = guarded.post("Binary", resource(securityContext={"reference": context}), by="stranger")

    assert answer.status_code == 422
    words = answer.json()["issue"][0]["diagnostics"]
    assert words == f"There is no {context}."
