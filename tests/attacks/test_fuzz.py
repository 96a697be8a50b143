"""Whatever comes, the answer is one of the protocol's: no 500, and errors are OperationOutcomes.

Every request is made from a sound one by damage: to its method, address, headers or body.
"""

import gzip
import itertools
import json
import re
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fhir_server.app import OPERATIONS
from fhir_server.identity.authenticate import Callers
from fhir_server.interactions.index import Index
from fhir_server.interactions.server import Server
from fhir_server.operations.graphql.operation import graphql
from fhir_server.referral.rules import WRITE_RULES
from fhir_server.search.cursor import Signer
from fhir_server.settings import Settings
from fhir_server.store.memory import MemoryStore
from fhir_server.web.fhir.app import FhirApp
from fhir_server.web.fhir.packing import unpack
from tests.conftest import Clock, Hub

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"tag": [{"system": "urn:t", "code": "a"}], "profile": ["http://a.test/p"]},
    "identifier": [{"system": "urn:s", "value": "1"}],
    "name": [{"family": "王", "given": ["小明"]}],
    "birthDate": "2000-01-01",
    "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-01-01T08:00:00+08:00",
    "valueQuantity": {"value": 1.50, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org"},
}
TASK = {"resourceType": "Task", "id": "t1", "status": "requested", "intent": "order"}
CONSENT = {
    "resourceType": "Consent",
    "id": "c1",
    "status": "active",
    "scope": {"coding": [{"code": "patient-privacy"}]},
    "category": [{"coding": [{"code": "IDSCL"}]}],
    "patient": {"reference": "Patient/p1"},
    "provision": {"period": {"start": "2026-01-01", "end": "2027-01-01"}},
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
            "resource": PATIENT,
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:s|9"},
        },
        {
            "resource": OBSERVATION | {"subject": {"reference": "Patient?identifier=urn:s|1"}},
            "request": {"method": "PUT", "url": "Observation/o1", "ifMatch": 'W/"1"'},
        },
        {"request": {"method": "GET", "url": "Patient?name=x&_include=*"}},
        {"request": {"method": "DELETE", "url": "Patient?identifier=none"}},
    ],
}
PATCH = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "add"},
                {"name": "path", "valueString": "Patient"},
                {"name": "name", "valueString": "gender"},
                {"name": "value", "valueCode": "male"},
            ],
        }
    ],
}
META = {
    "resourceType": "Parameters",
    "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "b"}]}}],
}
MATCH = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "resource", "resource": PATIENT},
        {"name": "onlyCertainMatches", "valueBoolean": False},
        {"name": "count", "valueInteger": 3},
    ],
}
EVERYTHING = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "_type", "valueCode": "Observation"},
        {"name": "_count", "valueInteger": 1},
        {"name": "_since", "valueInstant": "2026-01-01T00:00:00Z"},
        {"name": "start", "valueDate": "2020"},
    ],
}
GRAPHQL = """query A($id: id = "p1", $x: Boolean! = true) {
    Patient(id: $id) { ...P @include(if: $x) link { other { resource(optional: true) { id } } } }
    all: PatientConnection(name: "x", _count: 1) { count next edges { mode resource { id } } }
}
fragment P on Patient {
    __typename name(fhirpath: "family.exists()", _offset: 0) @flatten @slice(path: "use") { given }
    ObservationList(_reference: patient, _sort: "-date") { value { ... on Quantity { unit } } }
}"""
QUERY = {"query": GRAPHQL, "variables": {"id": "p1", "x": True}, "operationName": "A"}
COMPOSITION = {
    "resourceType": "Composition",
    "id": "c1",
    "status": "final",
    "type": {"text": "x"},
    "subject": {"reference": "Patient/p1"},
    "date": "2026-01-02",
    "author": [{"reference": "Patient/p1"}],
    "title": "x",
    "section": [{"title": "x", "entry": [{"reference": "Observation/o1"}]}],
}
JSON = "application/fhir+json"
SOUND = [
    ("POST", "Patient/$match", MATCH, JSON),
    ("POST", "Patient/$match?count=1", PATIENT, JSON),
    ("POST", "Patient/p1/$everything", EVERYTHING, JSON),
    ("POST", "Composition/c1/$document?persist=true", b"", JSON),
    ("POST", "$graphql", QUERY, "application/json"),
    ("PUT", "Composition/c1", COMPOSITION, JSON),
    ("POST", "Patient", PATIENT, JSON),
    ("PUT", "Patient/p1", PATIENT, JSON),
    ("PUT", "Patient?identifier=urn:s|1", PATIENT, JSON),
    ("PUT", "Observation/o1", OBSERVATION, JSON),
    ("POST", "Task", TASK, JSON),
    ("POST", "Consent", CONSENT, JSON),
    ("POST", "", BUNDLE, JSON),
    ("POST", "", BUNDLE | {"type": "batch"}, JSON),
    (
        "PATCH",
        "Patient/p1",
        [{"op": "add", "path": "/gender", "value": "male"}],
        "application/json-patch+json",
    ),
    (
        "PATCH",
        "Patient/p1",
        {"gender": None, "name": [{"text": "x"}]},
        "application/merge-patch+json",
    ),
    ("PATCH", "Patient/p1", PATCH, JSON),
    ("POST", "Patient/$validate", PATIENT, JSON),
    ("POST", "Patient/p1/$meta-add", META, JSON),
    ("POST", "Task/t1/$accept", META, JSON),
    ("POST", "Patient/_search", b"name=x&_sort=-birthdate", "application/x-www-form-urlencoded"),
    ("POST", "Binary", b"\x00\xff", "application/pdf"),
]
QUERIES = [
    "Patient?name:exact=王&birthdate=ge2000&_sort=name&_count=2&_total=accurate",
    "Observation?code=http://loinc.org|8480-6&value-quantity=gt1|http://unitsofmeasure.org|mm[Hg]",
    "Observation?subject:Patient.name=x&_has:Provenance:target:agent=y",
    "Patient/p1/Observation?date=ap2026&_elements=code&_summary=data",
    "Patient/p1/_history?_since=2026-01-01T00:00:00Z&_at=2026&_count=1&_sort=_lastUpdated",
    "_history?_count=1",
    "Patient/p1?_summary=true&_format=json&_pretty=true",
    "Patient/p1/_history/1",
    "metadata?mode=full&_summary=true",
    "_job/x",
    "OperationDefinition/Resource-meta",
    "AuditEvent?patient=p1&date=gt2020",
    "Patient/p1/$everything?_type=Observation,Patient&_since=2020&start=2020&end=2027&_count=1",
    "Patient/$everything?_count=2&_cursor=x",
    "Observation/$lastn?patient=p1&code=http://loinc.org|8480-6&max=2&_include=Observation:subject",
    "Composition/$document?id=Composition/c1",
    "Patient/p1/$graphql?query={id,name{family}}&variables={}",
]
HEADERS = {
    "Accept": "application/fhir+json",
    "Prefer": "return=minimal, handling=lenient",
    "If-Match": 'W/"1"',
    "If-None-Match": 'W/"1"',
    "If-None-Exist": "identifier=urn:s|1",
    "If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT",
    "Accept-Encoding": "gzip, zstd",
    "X-Request-Id": "a-1",
    "X-Security-Context": "Patient/p1",
    "Origin": "https://page.example",
}

WEIRD = st.sampled_from(
    [None, True, False, 0, -1, 10**400, 1e308, "", " ", "\x7f", "\u0000", "\ud800", "٣", "a" * 500,
     [], {}, [[]], [None], {"": None}, {"resourceType": "Patient"}, {"resourceType": 1},
     {"extension": [{"url": 1}]}, "Patient/", "#", "urn:uuid:", "javascript:alert(1)", "../.."]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["", " ", "\x00", "%", "%zz", "%00", "*", "|", "||", ",", "\\", "\\,", ":", ".", "a" * 3000,
     "王", "٣", "$", "null", "1e999", "-", "--", "gt", "2026-13-45", "9999-12-31T23:59:60Z",
     "' OR 1", "_", "..", "/", "//", "?", "#", ";", "&", "=", "\r\n", "\udc80", "(", "[", "~"]
)  # fmt: skip


def places(value, path=()):
    yield path
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, child in children:
        yield from places(child, (*path, name))


def changed(value, path, change):
    if not path:
        return change(value)
    first, *rest = path
    made = dict(value) if isinstance(value, dict) else list(value)
    made[first] = changed(value[first], tuple(rest), change)
    return made


@st.composite
def bodies(draw, sound):
    """Return a sound body after up to three damages, as bytes."""
    if isinstance(sound, bytes):
        return draw(st.one_of(st.just(sound), st.binary(max_size=30)))
    body = sound
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(body))))
        damage = draw(st.sampled_from(["weird", "listed", "wrapped", "renamed"]))
        match damage:
            case "weird":
                weird = draw(WEIRD)
                body = changed(body, path, lambda _, weird=weird: weird)
            case "listed":
                body = changed(body, path, lambda old: [old])
            case "wrapped":
                body = changed(body, path, lambda old: {"value": old})
            case _:
                name = draw(TEXTS)
                body = changed(
                    body,
                    path,
                    lambda old, name=name: old | {name: 1} if isinstance(old, dict) else old,
                )
    text = json.dumps(body, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    match draw(st.sampled_from(["whole"] * 16 + ["cut", "doubled", "bytes", "deep"])):
        case "cut":
            return text[: draw(st.integers(0, len(text)))]
        case "doubled":
            return text.replace(b'{"', b'{"a":1,"a":2,"', 1)
        case "bytes":
            place = draw(st.integers(0, len(text)))
            return text[:place] + draw(st.binary(min_size=1, max_size=4)) + text[place:]
        case "deep":
            return b'{"resourceType":"Patient","extension":' + b"[" * 8000
        case _:
            return text


@st.composite
def addresses(draw, sound):
    """Return an address with up to two of its parts replaced."""
    pieces = [sound]
    for mark in "/?&=:.|,":
        pieces = [
            part
            for piece in pieces
            for number, split in enumerate(piece.split(mark))
            for part in ([mark, split] if number else [split])
        ]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(pieces) - 1))
        pieces[place] = draw(TEXTS)
    return "".join(pieces)


@st.composite
def requests(draw):
    method, address, body, media = draw(
        st.sampled_from(SOUND + [("GET", query, None, "") for query in QUERIES])
    )
    if draw(st.integers(0, 9)) == 0:
        method = draw(
            st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
        )
    content = None if body is None else draw(bodies(body))
    headers = {}
    if content is not None:
        headers["Content-Type"] = draw(
            st.sampled_from([media] * 20 + ["", ";", "application/json; charset=x", "a/b", "*/*"])
        )
        if draw(st.integers(0, 9)) == 0:
            headers["Content-Encoding"] = draw(st.sampled_from(["gzip", "zstd", "br", ""]))
            if draw(st.booleans()):
                content = gzip.compress(content)
    for name in draw(st.sets(st.sampled_from(sorted(HEADERS)), max_size=3)):
        headers[name] = draw(st.just(HEADERS[name]) | TEXTS)
    return method, draw(addresses(address)), content, headers


@pytest.fixture(scope="module")
def fuzzed(definitions, validator, extractor):
    """One hub for all requests, in memory, with the referral's rules; it may be written to."""
    clock = Clock()
    numbers = itertools.count(1)
    store = MemoryStore(clock)
    server = Server(
        settings=Settings(cors_origins="*", body_limit=1_000_000),
        store=store,
        callers=Callers(store),
        index=Index(store, extractor),
        validator=validator,
        signer=Signer(b"0123456789abcdef"),
        clock=clock,
        new_id=lambda: f"n{next(numbers)}",
        write_rules=WRITE_RULES,
        operations=(*OPERATIONS, *graphql()),
    )
    hub = Hub(server, clock)
    hub.put_in(PATIENT, OBSERVATION, {"resourceType": "Patient", "id": "p2"}, COMPOSITION)
    yield hub
    hub.close()


async def send(hub, request, by):
    """Hand a request to the application as an HTTP server would, and return status and body."""
    method, address, content, headers = request
    path, _, query = address.encode("utf-8", "surrogatepass").partition(b"?")
    pairs = [(b"authorization", b"Bearer " + by.encode())]
    pairs += (
        (name.lower().encode(), value.encode("utf-8", "surrogatepass"))
        for name, value in headers.items()
    )
    scope = {
        "type": "http",
        "method": method,
        "path": "/fhir/" + unquote(path.decode("utf-8", "replace")),
        "query_string": query,
        "headers": pairs,
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": content or b"", "more_body": False}

    async def keep(message):
        sent.append(message)

    hub.clock.now += 1000
    await FhirApp(hub.server, hub._authenticate)(scope, receive, keep)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    told = dict(sent[0]["headers"]).get(b"content-encoding", b"")
    packed = told and method != "HEAD"
    return sent[0]["status"], unpack(body, told.decode(), 10**8) if packed else body


def check(hub, request, by):
    status, body = hub.run(send(hub, request, by))

    assert status < 500 or status in (501, 503), body
    if status >= 400 and request[0] != "HEAD":
        told = json.loads(body)
        if "errors" in told:
            assert all(each["message"] for each in told["errors"])
            return
        assert told["resourceType"] == "OperationOutcome"
        for issue in told["issue"]:
            assert issue["severity"]
            assert issue["code"]
            assert issue["diagnostics"]


USUAL = settings(
    max_examples=400,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
BY = st.sampled_from(["open", "physician", "patient", "feed"])


@USUAL
@given(request=requests(), by=BY)
def test_damaged_requests_are_answered(fuzzed, request, by):
    check(fuzzed, request, by)


@st.composite
def documents(draw):
    """Return a query with up to five of its words lost, doubled or replaced."""
    words = re.findall(r'"[^"]*"|\w+|[^\w\s]|\s+', GRAPHQL)
    other = st.sampled_from([*words, "{", "}", "(", ")", "...", "@", "$", "null", "1e400", "\\"])
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(words) - 1))
        words[place] = draw(st.one_of(st.just(""), st.just(words[place] * 2), other, TEXTS))
    return "".join(words)


@USUAL
@given(document=documents(), by=BY)
def test_damaged_queries_are_answered(fuzzed, document, by):
    content = json.dumps({"query": document}).encode()
    check(fuzzed, ("POST", "$graphql", content, {"Content-Type": "application/json"}), by)


@pytest.mark.proof
@settings(USUAL, max_examples=20_000)
@given(request=requests(), by=BY)
def test_many_damaged_requests_are_answered(fuzzed, request, by):
    check(fuzzed, request, by)
