"""A hub with a hospital, a clinic, their staff and one patient, visited as a browser does."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from argon2 import PasswordHasher

from fhir_server.authz.caller import Caller
from fhir_server.fhirjson import encode
from fhir_server.identity import accounts
from fhir_server.identity.accounts import Account
from fhir_server.model import Entry, Key, Write
from fhir_server.referral.operations import OPERATIONS
from fhir_server.referral.rules import WRITE_RULES
from fhir_server.web.metrics import Metrics
from fhir_server.web.pages.app import pages_app
from tests.conftest import Hub

KEY = b"k" * 32
SITE = "http://hub.test"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret-word")

ACCOUNTS = (
    Account("he", "staff", "何静仪", "Practitioner/he", ("role-he",), _HASH),
    Account("ouyang", "staff", "欧阳晓岚", "Practitioner/ouyang", ("role-ouyang",), _HASH),
    Account("two", "staff", "何静仪", "Practitioner/he", ("role-he", "role-he-2"), _HASH),
    Account("li", "patient", "李秀兰", "Patient/p1", (), _HASH),
    Account("admin", "admin", "查理文", "", (), _HASH),
    Account("audit", "auditor", "解正清", "", (), _HASH),
)


def organization(id: str, name: str, alias: str) -> dict[str, Any]:
    """Return an institution."""
    system = "http://terminology.hl7.org/CodeSystem/organization-type"
    return {
        "resourceType": "Organization",
        "id": id,
        "active": True,
        "name": name,
        "alias": [alias],
        "type": [{"coding": [{"system": system, "code": "prov"}]}],
    }


def role(id: str, person: str, place: str) -> dict[str, Any]:
    """Return a physician's role."""
    return {
        "resourceType": "PractitionerRole",
        "id": id,
        "practitioner": {"reference": f"Practitioner/{person}"},
        "organization": {"reference": f"Organization/{place}"},
        "code": [{"coding": [{"code": "physician"}]}],
    }


def pressure(id: str, day: str, systolic: int, diastolic: int) -> dict[str, Any]:
    """Return a blood pressure."""

    def part(code: str, value: int) -> dict[str, Any]:
        quantity = {"value": value, "unit": "mmHg"}
        return {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": quantity,
        }

    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "血压"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": f"{day}T09:00:00+08:00",
        "component": [part("8480-6", systolic), part("8462-4", diastolic)],
    }


DIRECTORY = (
    organization("hospital", "市第一人民医院", "First People's Hospital"),
    organization("clinic", "东堤社区卫生服务中心", "Dongdi Clinic"),
    organization("elsewhere", "西苑社区卫生服务中心", "Xiyuan Clinic"),
    *({"resourceType": "Practitioner", "id": id} for id in ("he", "ouyang")),
    role("role-he", "he", "hospital"),
    role("role-he-2", "he", "clinic"),
    role("role-ouyang", "ouyang", "clinic"),
)
RECORD = (
    {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"text": "李秀兰"}, {"text": "Li Xiulan"}],
        "gender": "female",
        "birthDate": "1965-11-02",
    },
    {
        "resourceType": "Condition",
        "id": "c1",
        "subject": {"reference": "Patient/p1"},
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}],
            "text": "原发性高血压",
        },
        "recordedDate": "2026-01-05",
    },
    pressure("o1", "2026-01-05", 158, 96),
    pressure("o2", "2026-03-05", 132, 80),
)


@dataclass
class StillInbox:
    """An inbox that notes what it is asked to replay."""

    hub: Hub
    replayed: list[tuple[str, str | None, str]] = field(default_factory=list)

    async def replay(self, id: str, text: str | None, by: Caller) -> object:
        """Note the replay and mark the message as applied."""
        self.replayed.append((id, text, by.account))
        await self.hub.server.store.commit([message(id, state="applied", text=text)])
        return None


RAW = "MSH|^~\\&|HIS|YTFH|||20260101||ADT^A01|M1|P|2.5\rPID|1||7||王^建国||19609999\r"


def message(id: str, state: str = "failed", text: str | None = None) -> Write:
    """Return the write of an inbox message, as its adapter writes it."""
    reason = {"code": "102", "location": "PID^1^7", "text": "'19609999' is no time"}
    body = {
        "source": "his",
        "control_id": id.upper(),
        "event": "ADT^A01",
        "time": 1_780_000_000_000,
        "codec": "utf-8",
        "raw": RAW.encode(),
        "acknowledgement": b"MSH|^~\\&|HUB\rMSA|AE|M1\r",
        "code": "AE",
        "state": state,
        "reason": reason if state == "failed" else None,
        "patient": "p1",
        "made": ["Patient/p1"] if state == "applied" else [],
        "corrections": [{"text": text, "account": "admin", "time": 0}] if text else [],
    }
    entries = (
        Entry("state", state),
        Entry("control-id", id.upper()),
        Entry("received", 1_780_000_000_000, 1_780_000_000_001),
    )
    return Write(Key("message", id), encode(body), entries)


@dataclass
class Site:
    """The pages of a hub, and browsers to visit them with."""

    hub: Hub
    inbox: StillInbox
    app: Any

    def browser(self, login: str = "", language: str = "zh") -> "Browser":
        """Return a browser, logged in where a login is named."""
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=SITE)
        found = Browser(self.hub, client)
        found.get(f"/?lang={language}")
        if login:
            answer = found.send("/", login=login, password="secret-word")
            assert answer.status_code == 303, answer.text
        return found

    def api(self, method: str, path: str, token: str = "", **more: Any) -> httpx.Response:
        """Ask the JSON API."""
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=SITE)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        self.hub.clock.now += 1000
        return self.hub.run(client.request(method, path, headers=headers, **more))

    def token(self, login: str) -> str:
        """Log in by the API and return the token."""
        words = {"login": login, "password": "secret-word"}
        return str(self.api("POST", "/api/login", json=words).json()["token"])


@dataclass
class Browser:
    """Keeps cookies, and sends forms with the word of the page that it is on."""

    hub: Hub
    client: httpx.AsyncClient
    page: str = ""

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        self.hub.clock.now += 1000
        answer = self.hub.run(self.client.get(path))
        self.page = answer.text
        return answer

    def send(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form from the page that is open."""
        word = CSRF.search(self.page)
        given = {"csrf": word[1] if word else "", **fields}
        self.hub.clock.now += 1000
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        content = urlencode(given, doseq=True).encode()
        answer = self.hub.run(self.client.post(path, content=content, headers=headers))
        self.page = answer.text
        return answer


@pytest.fixture
def site(make_hub: Callable[..., Hub]) -> Site:
    """The pages of a small city."""
    hub = make_hub(write_rules=WRITE_RULES, operations=OPERATIONS)
    hub.run(hub.server.store.commit([accounts.write(each) for each in ACCOUNTS]))
    hub.run(hub.server.store.commit([message("m1"), message("m2", "applied")]))
    hub.put_in(*DIRECTORY, by="operator")
    hub.callers["hospital"] = replace(hub.callers["operator"], organization="hospital")
    hub.put_in(*RECORD, by="hospital")
    inbox = StillInbox(hub)
    return Site(hub, inbox, pages_app(hub.server, KEY, inbox, Metrics()))
