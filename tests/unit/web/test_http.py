"""The wire. https://hl7.org/fhir/R4/http.html#general"""

import gzip
import json

import pytest

from fhir_server.errors import Busy
from fhir_server.interactions.server import OperationDefinition

PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"text": "王" * 600}]}


@pytest.fixture
def one(make_hub):
    hub = make_hub()
    hub.put_in(PATIENT)
    return hub


def test_without_a_token_nothing_is_told(one):
    answer = one.get("Patient/p1", by="")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["issue"][0]["code"] == "login"


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer a b", "nonsense"])
def test_another_authorization_is_none(one, header):
    answer = one.get("Patient/p1", by="", headers={"Authorization": header})

    assert answer.status_code == 401


def test_the_statement_needs_no_token(one):
    assert one.get("metadata", by="").status_code == 200


def test_the_body_is_not_looked_at_before_the_token(one):
    assert one.post("Patient", b"nonsense", by="").status_code == 401


def test_a_request_gets_an_id(one):
    assert one.get("Patient/p1").headers["X-Request-Id"]


def test_a_requests_own_id_comes_back(one):
    answer = one.get("Patient/p1", headers={"X-Request-Id": "abc-1"})

    assert answer.headers["X-Request-Id"] == "abc-1"


def test_an_ill_formed_request_id_does_not(one):
    answer = one.get("Patient/p1", headers={"X-Request-Id": "<script>"})

    assert answer.headers["X-Request-Id"] != "<script>"


def test_the_answer_is_fhir_json(one):
    assert one.get("Patient/p1").headers["Content-Type"] == "application/fhir+json; charset=utf-8"


def test_format_goes_before_accept(one):
    answer = one.get("Patient/p1?_format=json", headers={"Accept": "application/fhir+xml"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "accept"), [("Patient/p1?_format=xml", "*/*"), ("Patient/p1", "application/fhir+xml")]
)
def test_xml_is_not_acceptable(one, path, accept):
    answer = one.get(path, headers={"Accept": accept})

    assert answer.status_code == 406
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_pretty_is_indented(one):
    answer = one.get("Patient/p1?_pretty=true")

    assert answer.text.startswith('{\n  "resourceType"')
    assert answer.json() == one.get("Patient/p1").json()


def test_a_large_answer_is_packed(one):
    answer = one.get("Patient/p1", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.json()["id"] == "p1"


@pytest.mark.parametrize("encodings", ["identity", "gzip;q=0"])
def test_nothing_is_packed_unasked(one, encodings):
    answer = one.get("Patient/p1", headers={"Accept-Encoding": encodings})

    assert "Content-Encoding" not in answer.headers


def test_a_small_answer_is_not_packed(one):
    answer = one.get("Patient/nobody", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in answer.headers


def test_a_packed_body_is_unpacked(one):
    body = gzip.compress(json.dumps({"resourceType": "Patient"}).encode())

    assert one.post("Patient", body, headers={"Content-Encoding": "gzip"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * 100_000), "gzip", 413),
        (b"x", "gzip", 400),
        (b"{}", "br", 415),
        (b" " * 10_001, "identity", 413),
    ],
)
def test_bodies_have_limits(make_hub, body, encoding, status):
    hub = make_hub(settings={"body_limit": 10_000})

    assert hub.post("Patient", body, headers={"Content-Encoding": encoding}).status_code == status


def test_a_body_without_a_length_has_the_limit_too(make_hub):
    hub = make_hub(settings={"body_limit": 10})

    async def stream():
        for _ in range(3):
            yield b"12345"

    answer = hub.run(
        hub._client.post(
            "http://hub.test/fhir/Patient",
            content=stream(),
            headers={"Authorization": "Bearer open", "Content-Type": "application/fhir+json"},
        )
    )

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "media",
    [
        "application/fhir+xml",
        "text/plain",
        "application/fhir+json; charset=gbk",
        "multipart/form-data",
    ],
)
def test_another_media_type_is_not_supported(one, media):
    answer = one.post("Patient", {"resourceType": "Patient"}, headers={"Content-Type": media})

    assert answer.status_code == 415


def test_plain_json_is_taken(one):
    answer = one.post(
        "Patient", {"resourceType": "Patient"}, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Patient","active":true,"active":false}',
        b'{"resourceType":"Patient","language":"\\u0000"}',
        b'{"resourceType":"Patient","extension":'
        + b'[{"extension":' * 60
        + b"[]"
        + b"}]" * 60
        + b"}",
        b'{"resourceType":"Patient","language":"\xff"}',
        b'{"resourceType":"Patient","multipleBirthInteger":NaN}',
        b'{"resourceType":"Patient","language":"\\ud800"}',
    ],
)
def test_json_that_is_read_differently_is_a_bad_request(one, body):
    answer = one.post("Patient", body)

    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("query", ["name=%ff", "name=%00", "&".join(["name=a"] * 400)])
def test_a_query_that_cannot_be_read_is_a_bad_request(one, query):
    assert one.get(f"Patient?{query}").status_code == 400


def test_a_wrong_method_tells_the_right_ones(one):
    answer = one.post("Patient/p1", PATIENT)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE"


@pytest.mark.parametrize(
    "path", ["Nothing", "Patient/p1/Nothing", "a/b/c/d/e", "account/x", "grant"]
)
def test_nothing_is_at_another_address(one, path):
    answer = one.get(path)

    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_options_tell_what_browsers_may_do(one):
    answer = one("OPTIONS", "Patient/p1", by="")

    assert answer.status_code == 204
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_async_is_honestly_not_there_yet(one):
    assert one.get("Patient", headers={"Prefer": "respond-async"}).status_code == 501


def failing(fault):
    async def run(server, caller, ask):
        raise fault

    return (OperationDefinition("fail", (), "system", run),)


def test_what_is_unexpected_tells_nothing_but_the_request(make_hub):
    hub = make_hub(operations=failing(RuntimeError("secret")))

    answer = hub.get("$fail", headers={"X-Request-Id": "r-7"})

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "r-7" in answer.json()["issue"][0]["diagnostics"]


def test_busy_says_when_to_try_again(make_hub):
    hub = make_hub(operations=failing(Busy("later")))

    answer = hub.get("$fail")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_the_base_is_the_settings(make_hub):
    hub = make_hub(settings={"base_url": "https://hub.example/fhir"})

    answer = hub.post("Patient", {"resourceType": "Patient"})

    assert answer.headers["Location"].startswith("https://hub.example/fhir/Patient/")
