"""The stage of the story: its parties log in, the messages are made, the steps are shown
as they go."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any, TextIO
from uuid import uuid4

from adapters.transport.client import exchange
from fhir_server.demo import feed
from fhir_server.demo.cast import USER
from fhir_server.demo.client import Client
from fhir_server.demo.feed import HERO, Hero
from fhir_server.demo.identity import resident_number
from fhir_server.demo.scene import Stage, StoryBroken
from fhir_server.demo.story import STEPS
from fhir_server.referral.compose import DownReferral, Fullurls, compose

SHANGHAI = timezone(timedelta(hours=8))
DAYS_IN_HOSPITAL = 4


@dataclass(frozen=True, slots=True)
class Address:
    """Where a hub is reached: `http://HOST:PORT` and `HOST:PORT` for MLLP."""

    base: str
    mllp: str


def play(address: Address, language: str, out: TextIO) -> int:
    """Play all steps, each shown with what was said. Return 0, or 1 where the story broke."""
    try:
        stage = set_stage(address)
    except (StoryBroken, OSError) as refusal:
        print(f"✗ {refusal}", file=out)
        return 1
    try:
        return _perform(stage, language, out)
    finally:
        stage.close()


def _perform(stage: Stage, language: str, out: TextIO) -> int:
    for step in STEPS:
        words = step.chinese if language == "zh" else step.english
        stage.said.clear()
        fault = _act(step.act, stage)
        print(f"{'✗' if fault else '✓'} {step.number:4} {words}", file=out)
        for said in stage.said:
            print(f"         {said.who:12} {said.request}\n{'':21} → {said.answer}", file=out)
        if fault:
            print(f"  the story broke: {fault}", file=out)
            return 1
    count = len(STEPS)
    print(
        f"✓ {count} 步，全部如所述" if language == "zh" else f"✓ {count} steps, all as told",
        file=out,
    )
    return 0


def _act(act: Callable[[Stage], None], stage: Stage) -> Exception | None:
    try:
        act(stage)
    except (StoryBroken, OSError, KeyError, IndexError, StopIteration) as fault:
        return fault
    return None


def set_stage(address: Address) -> Stage:
    """Log the parties in and make the messages of a patient whom this hub has not seen yet."""
    enter = partial(login, address.base)
    run = secrets.randbelow(900_000) + 100_000
    stage = Stage(
        physician=enter("cardiologist"),
        clinic=enter("east-gp"),
        clinic_nurse=enter("east-nurse"),
        other_clinic=enter("west-gp"),
        auditor=enter("auditor"),
        integrator=enter("integrator"),
        operator=enter("operator"),
        send=partial(exchange, address.mllp),
    )
    stage.facts |= messages(hero(run), f"S{run}")
    stage.facts["enter"] = partial(enter_as_patient, address.base)
    stage.facts["compose"], stage.facts["visit"] = referral, clinic_visit
    return stage


def login(base: str, name: str, password: str = "") -> Client:
    """Return a client that has logged in as one of the demo's users. Raises StoryBroken."""
    if not base.startswith("http://"):
        raise StoryBroken(f"{base!r} is no address of a hub; expected http://HOST:PORT")
    client = Client(base, name=name)
    words = {"login": name, "password": password or USER[name].password}
    try:
        answer = client.post("/api/login", words, Content_Type="application/json")
    except OSError as fault:
        raise StoryBroken(f"{base} does not answer: {fault.strerror or fault}") from None
    if answer.status != 200:
        raise StoryBroken(f"{name} cannot log in to {base}: is the demo city there?")
    client.token = answer.body["token"]
    return client


def enter_as_patient(base: str, stage: Stage) -> Client:
    """Have the operator make an account for the story's patient, and log in with it."""
    name, password = f"patient-{stage.facts['mrn'].lower()}", secrets.token_urlsafe(12)
    account = {
        "login": name,
        "password": password,
        "kind": "patient",
        "name": HERO.name.text,
        "person": f"Patient/{stage.facts['patient']}",
    }
    answer = stage.http(
        stage.operator, "POST", "/api/accounts", account, Content_Type="application/json"
    )
    if answer.status != 201:
        raise StoryBroken("the operator could not make an account for the patient")
    return login(base, name, password)


def hero(run: int) -> Hero:
    """Return the story's patient with numbers of this run, so that it can be played again."""
    return replace(
        HERO,
        record_number=f"H{run}",
        visit_number=f"V{run}0001",
        resident_number=resident_number(990099, HERO.birth, run % 500, male=False),
    )


def messages(patient: Hero, control: str) -> dict[str, Any]:
    """Return the story's messages as bytes, and the numbers that later steps ask for."""
    left = datetime.now(SHANGHAI).replace(microsecond=0) - timedelta(hours=1)
    came = left - timedelta(days=DAYS_IN_HOSPITAL)
    broken = feed.broken(f"{control}-4", came, patient)
    return {
        "mrn": patient.record_number,
        "came": came,
        "message:admit": feed.admission(f"{control}-1", came, patient).encode(),
        "message:results": feed.results(f"{control}-2", left, came, patient).encode("gb18030"),
        "message:discharge": feed.discharge(f"{control}-3", left, came, patient).encode(),
        "message:broken": broken.encode(),
        "broken_id": f"{control}-4",
        "corrected": feed.admission(f"{control}-4", came, patient),
    }


def referral(stage: Stage) -> dict[str, Any]:
    """Return the transaction that drafts the down-referral, and the names that it refers to."""
    patient = f"Patient/{stage.facts['patient']}"
    found = stage.http(stage.physician, "GET", f"/fhir/Condition?patient={stage.facts['patient']}")
    reasons = tuple(f"Condition/{c['id']}" for c in found.entries)
    now = datetime.now(UTC)
    composed = compose(
        DownReferral(
            patient=patient,
            sender="Organization/hospital",
            receiver="Organization/clinic-east",
            author=f"Practitioner/{USER['cardiologist'].practitioner_id}",
            written=now.isoformat(timespec="seconds"),
            until=(now + timedelta(days=90)).date().isoformat(),
            data=("hypertension",),
            reasons=reasons,
            package=reasons,
            reason="血压平稳，转社区继续治疗",
        ),
        Fullurls(*(f"urn:uuid:{uuid4()}" for _ in range(3))),
    )
    return {"referral": composed}


def clinic_visit(stage: Stage) -> dict[str, Any]:
    """Return the transaction in which the clinic records a visit with one blood pressure."""
    subject = {"reference": f"Patient/{stage.facts['patient']}"}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    vital = "http://terminology.hl7.org/CodeSystem/observation-category"
    encounter = {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"system": act, "code": "AMB"},
        "subject": subject,
        "period": {"start": now},
        "serviceProvider": {"reference": "Organization/clinic-east"},
    }
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": vital, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}], "text": "收缩压"},
        "subject": subject,
        "encounter": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"},
        "effectiveDateTime": now,
        "valueQuantity": {
            "value": 126,
            "unit": "mmHg",
            "system": "http://unitsofmeasure.org",
            "code": "mm[Hg]",
        },
    }
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
                "resource": encounter,
                "request": {"method": "POST", "url": "Encounter"},
            },
            {"resource": pressure, "request": {"method": "POST", "url": "Observation"}},
        ],
    }
