"""A whole hub in memory, asked over ASGI by callers whom a test names."""

import asyncio
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.definitions import Definitions, load
from conformance.validator import Validator
from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import Scope
from fhir_server.errors import Unauthenticated
from fhir_server.identity.authenticate import Callers
from fhir_server.interactions.index import Index
from fhir_server.interactions.searchparameter import searchparameter_rule
from fhir_server.interactions.server import Server
from fhir_server.operations.document import DOCUMENT
from fhir_server.operations.everything import EVERYTHING_OF
from fhir_server.operations.graphql.operation import graphql
from fhir_server.operations.lastn import LASTN
from fhir_server.operations.match import MATCH
from fhir_server.operations.meta import META
from fhir_server.operations.validate import VALIDATE
from fhir_server.search.cursor import Signer
from fhir_server.search.extract import Extractor
from fhir_server.settings import Settings
from fhir_server.store.mongo.schema import prepare
from fhir_server.store.open import Kept, open_store
from fhir_server.web.fhir.app import FhirApp
from tests.mongod import Mongo, Mongod

BASE = "http://hub.test/fhir"
ALL = (Scope("user", "*", "cruds"),)
NOW = 1_780_000_000_000


class Clock:
    """Time that moves a second with each request and never by itself."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def staff(name: str, organization: str, duty: str = "physician") -> Caller:
    """Return a member of an institution's staff."""
    return Caller(
        "staff",
        name,
        name,
        person=f"Practitioner/{name}",
        role=f"role-{name}",
        duty=duty,
        organization=organization,
        organizations=frozenset((organization,)),
        scopes=ALL,
    )


OPERATIONS = (*VALIDATE, *META, *EVERYTHING_OF, *LASTN, *DOCUMENT, *MATCH)
CALLERS = {
    "open": Caller("open", "open", scopes=(Scope("system", "*", "cruds"),)),
    "operator": Caller("operator", "operator", scopes=(Scope("system", "*", "cruds"),)),
    "auditor": Caller("auditor", "auditor", scopes=ALL),
    "admin": Caller("admin", "admin", scopes=ALL),
    "physician": staff("physician", "hospital"),
    "nurse": staff("nurse", "hospital", "nurse"),
    "registrar": staff("registrar", "hospital", "registrar"),
    "clinic": staff("clinic", "clinic"),
    "stranger": staff("stranger", "elsewhere"),
    "patient": Caller(
        "patient",
        "patient",
        person="Patient/p1",
        patient="p1",
        scopes=(Scope("patient", "*", "cruds"),),
    ),
    "feed": Caller(
        "feed",
        "client.his",
        organization="hospital",
        organizations=frozenset(("hospital",)),
        client="his",
        scopes=(Scope("system", "*", "cruds"),),
    ),
}


@dataclass
class Hub:
    """The hub under test; `by` names the caller, `""` sends no token."""

    server: Server
    clock: Clock
    callers: dict[str, Caller] = field(default_factory=lambda: dict(CALLERS))
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    closed: bool = False

    def __post_init__(self) -> None:
        app = FhirApp(self.server, self._authenticate)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app))

    async def _authenticate(self, token: str, now: int, request: str) -> Caller:
        if token not in self.callers:
            raise Unauthenticated("The token is not known.")
        return replace(self.callers[token], now=now, request=request)

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine to its end."""
        return self.runner.run(coroutine)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        by: str = "open",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request; a body that is not bytes is sent as FHIR JSON."""
        self.clock.now += 1000
        given = {"Authorization": f"Bearer {by}"} if by else {}
        if body is not None:
            given["Content-Type"] = "application/fhir+json"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return await self._client.request(
            method,
            path if path.startswith("http") else f"{BASE}/{path}".rstrip("/"),
            content=content,
            headers=given | dict(headers or {}),
        )

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Send one request and wait for its answer."""
        return self.run(self.ask(method, path, body, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """POST."""
        return self("POST", path, body, **more)

    def put(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """PUT."""
        return self("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        """DELETE."""
        return self("DELETE", path, **more)

    def patch(self, path: str, operations: Any, **more: Any) -> httpx.Response:
        """PATCH with a JSON Patch."""
        headers = {"Content-Type": "application/json-patch+json"} | more.pop("headers", {})
        return self("PATCH", path, operations, headers=headers, **more)

    def made(self, resource: dict[str, Any], by: str = "open") -> str:
        """Create a resource and return its id."""
        answer = self.post(resource["resourceType"], resource, by=by)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def put_in(self, *resources: dict[str, Any], by: str = "open") -> None:
        """Write resources under their own ids."""
        for each in resources:
            answer = self.put(f"{each['resourceType']}/{each['id']}", each, by=by)
            assert answer.status_code in (200, 201), answer.text

    def ids(self, path: str, by: str = "open") -> list[str]:
        """Search, and return `Type/id` of all entries in their order."""
        answer = self.get(path, by=by)
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", [])
        return [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries]

    def close(self) -> None:
        """Let go of everything."""
        if self.closed:
            return
        self.closed = True
        self.run(self._client.aclose())
        self.run(self.server.store.close())
        self.runner.close()


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    return load()


@pytest.fixture(scope="session")
def validator(definitions: Definitions) -> Validator:
    return Validator(definitions, warnings=False)


@pytest.fixture(scope="session")
def extractor(definitions: Definitions) -> Extractor:
    return Extractor(definitions, BASE)


@pytest.fixture
def make_hub(
    definitions: Definitions, validator: Validator, extractor: Extractor
) -> Iterator[Callable[..., Hub]]:
    """Return what makes a hub on a store's URL; settings and parts can be given."""
    made: list[Hub] = []

    def make(
        url: str = "memory://", settings: Mapping[str, Any] | None = None, **parts: Any
    ) -> Hub:
        clock = Clock()
        numbers = itertools.count(1)
        store: Kept = open_store(url, clock)
        server = Server(
            settings=Settings(**(settings or {})),
            store=store,
            callers=Callers(store),
            index=Index(store, parts.pop("extractor", extractor)),
            validator=validator,
            signer=Signer(b"0123456789abcdef"),
            clock=clock,
            new_id=lambda: f"n{next(numbers)}",
            write_rules={"SearchParameter": (searchparameter_rule,)},
            operations=(*OPERATIONS, *graphql()),
        )
        made.append(Hub(replace(server, **parts), clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(params=["memory", "sqlite", "mongodb"])
def hub(request: pytest.FixtureRequest, make_hub: Callable[..., Hub], tmp_path: Path) -> Hub:
    """A hub on each store."""
    match request.param:
        case "memory":
            return make_hub()
        case "sqlite":
            return make_hub(f"sqlite:///{tmp_path}/hub.db")
    return make_hub(request.getfixturevalue("mongo").url("rest"))


@pytest.fixture(scope="session")
def mongo() -> Iterator[Mongo]:
    """A MongoDB server for all tests of a session."""
    with Mongod() as server:
        prepare(f"mongodb://{server.host}/first")
        yield Mongo(server)


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of public cases, named by FHIR_CASES."""
    if "FHIR_CASES" not in os.environ:
        pytest.skip("FHIR_CASES does not name a folder of public cases")
    return Path(os.environ["FHIR_CASES"])
