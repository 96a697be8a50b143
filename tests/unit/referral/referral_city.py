"""A small city: a hospital, two clinics, a patient, and requests through the real `perform`."""

import itertools
from dataclasses import replace
from typing import Any

import msgspec

from conformance.definitions import load
from conformance.validator import Validator
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.grant import Rule
from fhir_server.authz.scopes import Scope
from fhir_server.identity.authenticate import Callers
from fhir_server.interactions.index import Index
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.perform import perform
from fhir_server.interactions.server import Server
from fhir_server.model import Query
from fhir_server.referral.compose import DownReferral, Fullurls, compose
from fhir_server.referral.operations import OPERATIONS
from fhir_server.referral.rules import WRITE_RULES
from fhir_server.search.cursor import Signer
from fhir_server.search.extract import Extractor
from fhir_server.search.tree import EVERYTHING
from fhir_server.settings import Settings
from fhir_server.store.open import open_store

START = 1_780_000_000_000  # 2026-05-28
DAY = 86_400_000
_definitions = load()
_extractor = Extractor(_definitions)
_validator = Validator(_definitions, warnings=False)
_ALL = (Scope("user", "*", "cruds"),)

FULLURLS = Fullurls("urn:uuid:c0", "urn:uuid:c1", "urn:uuid:c2")
DOWN = DownReferral(
    patient="Patient/li",
    sender="Organization/hospital",
    receiver="Organization/clinic",
    author="Practitioner/wang",
    written="2026-05-28T08:00:00+08:00",
    until="2026-08-28",
    data=("hypertension",),
    reasons=("Condition/hypertension",),
    package=("Condition/hypertension", "Observation/pressure"),
    reason="血压平稳",
    deadline="2026-07-28",
)


def staff(organization: str, duty: str = "physician") -> Caller:
    return Caller(
        "staff",
        account=f"{organization}-{duty}",
        name=organization,
        person="Practitioner/wang"
        if organization == "hospital"
        else f"Practitioner/{organization}",
        role=f"role-{organization}",
        duty=duty,
        organization=organization,
        organizations=frozenset((organization,)),
        scopes=_ALL,
    )


CALLERS = {
    "hospital": staff("hospital"),
    "clinic": staff("clinic"),
    "ward": replace(staff("clinic"), organizations=frozenset(("clinic", "ward"))),
    "other": staff("other"),
    "patient": Caller("patient", "li", person="Patient/li", patient="li", scopes=_ALL),
    "his": replace(staff("hospital"), kind="feed", account="his", person="", role="", duty=""),
    "operator": Caller("operator", "operator", scopes=_ALL),
}


class City:
    """The world of a test; `now` is moved by hand."""

    def __init__(self, url: str = "memory://") -> None:
        self.now = START
        numbers = itertools.count(1)
        self.store = open_store(url, lambda: self.now)
        self.server = Server(
            settings=Settings(),
            store=self.store,
            callers=Callers(self.store),
            index=Index(self.store, _extractor),
            validator=_validator,
            signer=Signer(b"sixteen bytes or more"),
            clock=lambda: self.now,
            new_id=lambda: f"n{next(numbers)}",
            write_rules=WRITE_RULES,
            operations=OPERATIONS,
        )

    async def fill(self) -> None:
        """Let there be organizations, and two patients whom the hospital has recorded."""
        for name in ("hospital", "clinic", "other"):
            await self.put("operator", {"resourceType": "Organization", "id": name, "name": name})
        for resource in RECORD:
            await self.put("his", resource)

    async def caller(self, who: str) -> Caller:
        """Return the caller with the rules that hold at this moment, as on every request."""
        page = await self.store.search(Query("rule", EVERYTHING, limit=1000, now=self.now))
        rules = [msgspec.convert(fhirjson.decode(each.body), Rule) for each in page.versions]
        known = CALLERS[who]
        mine = tuple(rule for rule in rules if rule.recipient in known.organizations)
        return replace(known, rules=mine, now=self.now)

    async def ask(self, who: str, name: str, type: str, id: str = "", **more: Any) -> Reply:
        body = more.pop("body", b"")
        if not isinstance(body, bytes):
            body = fhirjson.encode(body)
        self.now += 1000
        ask = Interaction(name, type, id, body=body, base="http://hub/fhir", **more)
        return await perform(self.server, await self.caller(who), ask)

    async def put(self, who: str, resource: dict[str, Any], **more: Any) -> Reply:
        type, id = resource["resourceType"], resource["id"]
        return await self.ask(who, "update", type, id, body=resource, **more)

    async def post(self, who: str, resource: dict[str, Any]) -> dict[str, Any]:
        reply = await self.ask(who, "create", resource["resourceType"], body=resource)
        return fhirjson.decode(reply.body)

    async def get(self, who: str, type: str, id: str) -> dict[str, Any]:
        return fhirjson.decode((await self.ask(who, "read", type, id)).body)

    async def found(self, who: str, type: str, **params: str) -> list[str]:
        given = tuple((name, value) for name, value in params.items())
        reply = await self.ask(who, "search-type", type, params=given)
        entries = fhirjson.decode(reply.body).get("entry", [])
        return sorted(each["resource"]["id"] for each in entries)

    async def do(
        self, who: str, step: str, task: str, *given: dict[str, Any], **more: Any
    ) -> Reply:
        parameters = {"resourceType": "Parameters", "parameter": list(given)}
        return await self.ask(
            who, "operation", "Task", task, operation=step, body=parameters, **more
        )

    async def actions(self, who: str, task: str) -> list[str]:
        reply = await self.ask(who, "operation", "Task", task, operation="actions", safe=True)
        found = fhirjson.decode(reply.body)["parameter"]
        return [each["part"][0]["valueCode"] for each in found if each["name"] == "action"]

    async def seen(self, who: str) -> set[str]:
        """Return what a caller finds of the patient by searching, as literal references."""
        types = ("Patient", "Condition", "Observation", "Consent", "ServiceRequest", "Task")
        return {f"{type}/{id}" for type in types for id in await self.found(who, type)}

    async def withdraw(self, papers: "Papers") -> None:
        consent = await self.get("patient", "Consent", papers.consent)
        await self.put("patient", consent | {"status": "inactive"})

    async def transaction(self, who: str, bundle: dict[str, Any]) -> list[str]:
        reply = await self.ask(who, "transaction", "", body=bundle)
        entries = fhirjson.decode(reply.body)["entry"]
        return [each["response"]["location"].split("/")[1] for each in entries]

    async def draft(self, down: DownReferral = DOWN) -> "Papers":
        return Papers(*await self.transaction("hospital", compose(down, FULLURLS)))

    async def sent(self, down: DownReferral = DOWN) -> "Papers":
        papers = await self.draft(down)
        await self.do("hospital", "send", papers.task)
        return papers

    async def accepted(self, down: DownReferral = DOWN) -> "Papers":
        papers = await self.sent(down)
        await self.do("clinic", "accept", papers.task)
        return papers


class Papers(tuple):
    """The ids of a referral's three resources."""

    __slots__ = ()

    def __new__(cls, *ids: str) -> "Papers":
        return super().__new__(cls, ids)

    consent = property(lambda self: self[0])
    request = property(lambda self: self[1])
    task = property(lambda self: self[2])


REASON = {"name": "reason", "valueString": "because"}
_LOINC = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
_SUBJECT = {"subject": {"reference": "Patient/li"}}
RECORD = (
    {"resourceType": "Patient", "id": "li", "name": [{"text": "李四"}]},
    {"resourceType": "Patient", "id": "zhang", "name": [{"text": "张三"}]},
    {
        "resourceType": "Condition",
        "id": "hypertension",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}]},
        **_SUBJECT,
    },
    {
        "resourceType": "Condition",
        "id": "depression",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F32"}]},
        **_SUBJECT,
    },
    {
        "resourceType": "Observation",
        "id": "pressure",
        "status": "final",
        "code": _LOINC,
        **_SUBJECT,
    },
    {
        "resourceType": "Observation",
        "id": "older",
        "status": "final",
        "code": _LOINC,
        **_SUBJECT,
    },
    {
        "resourceType": "Observation",
        "id": "zhangs",
        "status": "final",
        "code": _LOINC,
        "subject": {"reference": "Patient/zhang"},
    },
)
