"""64 conditional requests at once to two servers on one file: one record, and nobody is refused.

https://hl7.org/fhir/R4/http.html#ccreate, https://hl7.org/fhir/R4/http.html#cond-update
"""

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

_ROOT = Path(__file__).parents[2]
_CLIENTS = 64

Json = dict[str, Any]


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _serve(path: Path, port: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "fhir_server", "serve", "--open", "--mllp", ""]
    return subprocess.Popen(
        [*command, "--port", str(port), "--store", f"sqlite:///{path}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT), "FHIR_HUB_LOG_LEVEL": "error"},
    )


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    path = tmp_path_factory.mktemp("race") / "hub.db"
    ports = [_port(), _port()]
    servers = [_serve(path, port) for port in ports]
    try:
        found = [f"http://127.0.0.1:{port}/fhir" for port in ports]
        for base in found:
            _wait(base)
        yield found
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(30)


def _wait(base: str) -> None:
    for _ in range(300):
        try:
            httpx.get(f"{base}/metadata", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{base} does not answer")


def _patient(value: str, number: int = 0) -> Json:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:s", "value": value}],
        "telecom": [{"system": "phone", "value": value}],
        "gender": "male",
        **({"multipleBirthInteger": number} if number else {}),
    }


def _transaction(method: str, url: str, body: Json, **more: str) -> Json:
    request = {"method": method, "url": url, **more}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": body, "request": request}],
    }


def _request(how: str, condition: str, value: str, number: int) -> tuple[str, str, Json, Json]:
    body = _patient(value, number if "changing" in how else 0)
    url = f"Patient?{condition}"
    match how:
        case "create":
            return "POST", "Patient", body, {"If-None-Exist": condition}
        case "create inside":
            return "POST", "", _transaction("POST", "Patient", body, ifNoneExist=condition), {}
        case "update" | "changing update":
            return "PUT", url, body, {}
        case _:
            return "POST", "", _transaction("PUT", url, body), {}


async def _race(bases: list[str], requests: list[tuple[str, str, Json, Json]]) -> list[int]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:

        async def ask(base: str, method: str, path: str, body: Json, headers: Json) -> int:
            kind = {"Content-Type": "application/fhir+json"}
            url = f"{base}/{path}".rstrip("/")
            answer = await client.request(method, url, json=body, headers=kind | headers)
            return answer.status_code

        pairs = zip(requests, itertools.cycle(bases), strict=False)
        return await asyncio.gather(*(ask(base, *request) for request, base in pairs))


CONDITIONS = {
    "equal": ["identifier=urn:s|{}"],
    "two-spellings": ["identifier=urn:s|{}&gender=male", "gender=male&identifier=urn%3As%7C{}"],
    "one-resource-meets-both": ["identifier=urn:s|{}", "identifier={}"],
    "without-identifiers": ["phone={}", "gender=male&phone={}"],
}
HOW = ["create", "create inside", "update", "update inside", "changing update", "changing inside"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS)
def test_one_record_and_nobody_refused(
    bases: list[str], conditions: list[str], how: str, request: pytest.FixtureRequest
) -> None:
    value = request.node.name.replace(" ", "-").replace("[", "-").replace("]", "")
    texts = itertools.cycle(text.format(value) for text in conditions)
    asked = [_request(how, text, value, n) for n, text in zip(range(_CLIENTS), texts, strict=False)]

    statuses = asyncio.run(_race(bases, asked))

    assert set(statuses) <= {200, 201}
    found = httpx.get(f"{bases[0]}/Patient?identifier={value}&_total=accurate").json()
    assert found["total"] == 1
    if "inside" not in how:
        assert statuses.count(201) == 1


@pytest.mark.parametrize("how", HOW)
def test_a_plain_create_in_between_is_no_obstacle(bases: list[str], how: str) -> None:
    """None makes a second one beside what was created plainly before; none is refused for it.

    Where a conditional one came first, the plain one is a second, and whoever comes after them is
    told so: "Multiple matches: the server returns a 412 Precondition Failed error".
    """
    value = f"between-{how.replace(' ', '-')}"
    asked = [_request(how, f"identifier={value}", value, n) for n in range(_CLIENTS)]
    asked.insert(3, ("POST", "Patient", _patient(value), {}))

    statuses = asyncio.run(_race(bases, asked))

    found = httpx.get(f"{bases[1]}/Patient?identifier={value}&_total=accurate").json()
    assert found["total"] <= 2, "the plain one, and one conditional one that came before it"
    assert set(statuses) <= ({200, 201} if found["total"] == 1 else {200, 201, 412})


def test_transactions_on_the_same_records_all_come_through(bases: list[str]) -> None:
    """In whatever order they name them: none waits for another for good."""
    names = ["one", "two", "three"]
    for name in names:
        body = {"resourceType": "Basic", "id": name, "code": {"text": "x"}}
        httpx.put(
            f"{bases[0]}/Basic/{name}", json=body, headers={"Content-Type": "application/json"}
        )
    asked = []
    for number, order in zip(
        range(_CLIENTS), itertools.cycle(itertools.permutations(names)), strict=False
    ):
        entries = [
            {
                "resource": {"resourceType": "Basic", "id": name, "code": {"text": str(number)}},
                "request": {"method": "PUT", "url": f"Basic/{name}"},
            }
            for name in order
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        asked.append(("POST", "", bundle, {}))

    statuses = asyncio.run(_race(bases, asked))

    assert statuses == [200] * _CLIENTS
    latest = [httpx.get(f"{bases[0]}/Basic/{name}").json() for name in names]
    assert len({each["code"]["text"] for each in latest}) == 1
    assert {each["meta"]["versionId"] for each in latest} == {str(_CLIENTS + 1)}
