"""The wire. https://hl7.org/fhir/R4/http.html#general"""

import asyncio
import gzip
import json

import pytest
import zstandard

from fhir_server.errors import Busy
from fhir_server.interactions.interaction import Reply
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


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_large_answer_is_packed(one, coding):
    answer = one.get("Patient/p1", headers={"Accept-Encoding": coding})

    assert answer.headers["Content-Encoding"] == coding
    assert answer.json()["id"] == "p1"


@pytest.mark.parametrize("encodings", ["identity", "gzip;q=0"])
def test_nothing_is_packed_unasked(one, encodings):
    answer = one.get("Patient/p1", headers={"Accept-Encoding": encodings})

    assert "Content-Encoding" not in answer.headers


def test_a_small_answer_is_not_packed(one):
    answer = one.get("Patient/nobody", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in answer.headers


def test_a_packed_body_is_unpacked(one):
    body = json.dumps({"resourceType": "Patient"}).encode()

    for coding, packed in (("gzip", gzip.compress(body)), ("zstd", zstandard.compress(body))):
        headers = {"Content-Encoding": coding}
        assert one.post("Patient", packed, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * 100_000), "gzip", 413),
        (zstandard.compress(b" " * 100_000), "zstd", 413),
        (b"x", "gzip", 400),
        (b"x", "zstd", 400),
        (b"{}", "gzip, zstd", 415),
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


@pytest.mark.parametrize("media", ["application/json", "text/json", "application/json+fhir"])
@pytest.mark.parametrize("type", ["Patient", "Binary"])
def test_other_names_of_json_are_taken(one, type, media):
    resource = {"resourceType": type} | ({"contentType": "text/plain"} if type == "Binary" else {})

    answer = one.post(type, resource, headers={"Content-Type": media})

    assert answer.status_code == 201
    assert answer.json()["resourceType"] == type


def test_a_byte_order_mark_is_passed_over(one):
    body = b'\xef\xbb\xbf{"resourceType":"Patient"}'

    assert one.post("Patient", body).status_code == 201


@pytest.mark.parametrize("name", ["json", "application/json", "text/json", "application/json+fhir"])
def test_formats_of_json_are_answered(one, name):
    answer = one.get(f"Patient/p1?_format={name}")

    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"


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


def test_options_tell_the_methods(one):
    answer = one("OPTIONS", "Patient/p1", by="")

    assert answer.status_code == 204
    assert answer.headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE"
    assert "Access-Control-Allow-Origin" not in answer.headers


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


PAGE = {"Origin": "https://page.example"}


@pytest.fixture
def open_to_pages(make_hub):
    return make_hub(settings={"cors_origins": "https://page.example, https://other.example"})


def test_a_registered_origin_may_read_answers(open_to_pages):
    answer = open_to_pages.get("Patient/nobody", headers=PAGE)

    assert answer.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_registered_origin_may_ask_beforehand(open_to_pages):
    asked = PAGE | {"Access-Control-Request-Method": "PATCH"}
    answer = open_to_pages("OPTIONS", "Patient/p1", by="", headers=asked)

    assert answer.status_code == 204
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "If-Match", "*"} <= {
        name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")
    }


def test_no_header_of_leave_stands_twice(open_to_pages):
    """Browsers refuse an answer whose Access-Control-Allow-Origin has two values."""
    answer = open_to_pages("OPTIONS", "Patient/p1", by="", headers=PAGE)

    names = [name for name, _ in answer.headers.multi_items()]
    assert answer.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert len(names) == len(set(names))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://page.example.evil"])
def test_another_origin_gets_no_leave(open_to_pages, origin):
    for method in ("GET", "OPTIONS"):
        answer = open_to_pages(method, "metadata", headers={"Origin": origin})

        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_all_origins_if_that_is_set(make_hub):
    hub = make_hub(settings={"cors_origins": "*"})

    assert hub.get("metadata", headers=PAGE).headers["Access-Control-Allow-Origin"] == "*"


def test_the_address_has_a_limit(make_hub):
    hub = make_hub(settings={"url_limit": 1000})

    answer = hub.get(f"Patient?name={'x' * 1000}")

    assert answer.status_code == 414
    assert answer.json()["issue"][0]["code"] == "too-long"


def test_the_headers_have_a_limit(make_hub):
    hub = make_hub(settings={"header_limit": 1000})

    assert hub.get("Patient", headers={"X-More": "x" * 1000}).status_code == 431


def test_a_header_that_contradicts_itself_is_a_bad_request(one):
    headers = [("Authorization", "Bearer open"), ("Authorization", "Bearer operator")]

    answer = one.run(one._client.get("http://hub.test/fhir/Patient", headers=headers))

    assert answer.status_code == 400


def test_a_list_may_come_in_several_headers(one):
    headers = [
        ("Authorization", "Bearer open"),
        ("Accept", "text/html"),
        ("Accept", "application/fhir+json"),
    ]

    answer = one.run(one._client.get("http://hub.test/fhir/Patient", headers=headers))

    assert answer.status_code == 200


def test_too_many_requests_at_a_time_are_told_to_wait(make_hub):
    gate = asyncio.Event()

    async def wait(server, caller, ask):
        await gate.wait()
        return Reply(200)

    operations = (OperationDefinition("wait", (), "system", wait),)
    hub = make_hub(settings={"request_limit": 3}, operations=operations)

    async def run():
        waiting = [asyncio.create_task(hub.ask("GET", "$wait")) for _ in range(3)]
        await asyncio.sleep(0)
        refused = await hub.ask("GET", "$wait")
        gate.set()
        return refused, await asyncio.gather(*waiting)

    refused, answers = hub.run(run())

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert [answer.status_code for answer in answers] == [200] * 3
    assert hub.get("Patient").status_code == 200
