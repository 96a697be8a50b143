"""The cases of `fhir-hub bench`: each a stream of requests, measured by the server's own CPU time.

User plus system time of the hub's processes is read before and after; the load generator runs in
another process, so its cost is not counted.
"""

import itertools
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import Any, TextIO
from uuid import UUID

from adapters.transport.mllp import encode
from fhir_server import fhirjson
from fhir_server.bench import load
from fhir_server.bench.hub import Hub
from fhir_server.demo import feed
from fhir_server.demo.city import build
from fhir_server.demo.stage import hero

CONNECTIONS = 16
SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Figure:
    """What a case measured; `unit` is what `count` counts, times in milliseconds, memory in MB."""

    name: str
    unit: str
    count: int
    failed: int
    per_second: float
    cpu: float
    p50: float
    p99: float
    memory: float

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """Return one line of the table."""
        return (
            f"{self.name:14} {self.per_second:>9,.0f} {self.unit}/s"
            f"   {self.cpu * 1000:>7,.0f} µs CPU"
            f"   p50 {self.p50:6.2f} ms   p99 {self.p99:7.2f} ms   {self.memory:5.0f} MB"
            f"   {self.count:,} done, {self.failed} failed"
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """What a case is made from: the hub, a clinician's token, the ids of the hospital's
    own patients."""

    hub: Hub
    token: str
    patients: tuple[str, ...]


Case = Callable[[Bench], Iterator[bytes]]


def read(bench: Bench) -> Iterator[bytes]:
    """Read the hospital's patients by id, round and round."""
    for patient in itertools.cycle(bench.patients):
        yield _get(bench, f"/fhir/Patient/{patient}")


def search(bench: Bench) -> Iterator[bytes]:
    """Search a patient's blood pressures."""
    for patient in itertools.cycle(bench.patients):
        criteria = f"patient={patient}&code=http://loinc.org|85354-9&_count=20"
        yield _get(bench, f"/fhir/Observation?{criteria}")


def create(bench: Bench) -> Iterator[bytes]:
    """Create a 2 KB Observation."""
    for patient in itertools.cycle(bench.patients):
        body = json.dumps(observation(patient), ensure_ascii=False).encode()
        yield load.call("POST", bench.hub.base, "/fhir/Observation", bench.token, body).data


def transaction(bench: Bench) -> Iterator[bytes]:
    """Post a patient's whole record as one transaction with references by urn:uuid."""
    for number in itertools.count(1):
        body = bundle(number)
        yield load.call(
            "POST", bench.hub.base, "/fhir", bench.token, body, Prefer="return=minimal"
        ).data


def adt(bench: Bench) -> Iterator[bytes]:
    """Send ADT^A01 of ever new patients over MLLP."""
    at = datetime.now(SHANGHAI).replace(microsecond=0)
    for number in itertools.count(1_000_000):
        yield encode(feed.admission(f"B{number}", at, hero(number)).encode())


def _get(bench: Bench, path: str) -> bytes:
    return load.call("GET", bench.hub.base, path, bench.token).data


CASES: dict[str, tuple[Case, str]] = {
    "read": (read, "requests"),
    "search": (search, "requests"),
    "create": (create, "resources"),
    "transaction": (transaction, "resources"),
    "adt": (adt, "messages"),
}


def measure(
    names: list[str], patients: int, seconds: float, out: TextIO, store: str = ""
) -> list[Figure]:
    """Start a hub with the demo city and run the cases one after the other.

    `store` is the URL of an empty one; by default it is a file of the hub's own.
    """
    with Hub(patients=patients, store=store) as hub:
        machine = f"{platform.machine()}, Python {platform.python_version()}"
        idle = hub.cost().memory / 1e6
        print(
            f"{machine}; first answer after {hub.seconds_to_answer:.2f} s, {idle:.0f} MB", file=out
        )
        bench = Bench(hub, hub.token("cardiologist"), own_patients(patients))
        return [run(bench, name, seconds) for name in names]


def own_patients(count: int) -> tuple[str, ...]:
    """Return the ids of the patients whose record the hospital keeps."""
    city = build(patients=min(count, 100))
    return tuple(
        made.resource["id"]
        for made in city
        if made.resource["resourceType"] == "Patient" and made.owner == "hospital"
    )


def run(bench: Bench, name: str, seconds: float) -> Figure:
    """Run one case for so long."""
    case, unit = CASES[name]
    over_mllp = name == "adt"
    address = bench.hub.mllp if over_mllp else bench.hub.base.removeprefix("http://")
    exchange = load.mllp if over_mllp else load.http
    each = bundle(1).count(b'"fullUrl"') if name == "transaction" else 1
    load.run(address, itertools.islice(case(bench), 50 if each == 1 else 2), CONNECTIONS, exchange)
    before = bench.hub.cost()
    done = load.run(address, timed(case(bench), seconds), CONNECTIONS, exchange)
    after = bench.hub.cost()
    return Figure(
        name=name,
        unit=unit,
        count=done.done * each,
        failed=done.failed,
        per_second=done.done * each / done.seconds,
        cpu=(after.cpu - before.cpu) * 1000 / max(done.done * each, 1),
        p50=done.quantile(0.5) * 1000,
        p99=done.quantile(0.99) * 1000,
        memory=after.memory / 1e6,
    )


def timed(calls: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    """Yield from `calls` until so many seconds have gone by."""
    end = monotonic() + seconds
    for call in calls:
        if monotonic() > end:
            return
        yield call


def observation(patient: str) -> dict[str, Any]:
    """Return a blood pressure of about 2 KB about a patient of the demo city."""
    loinc, ucum = "http://loinc.org", "http://unitsofmeasure.org"
    vital = "http://terminology.hl7.org/CodeSystem/observation-category"

    def part(code: str, name: str, value: int) -> dict[str, Any]:
        quantity = {"value": value, "unit": "mmHg", "system": ucum, "code": "mm[Hg]"}
        return {
            "code": {"coding": [{"system": loinc, "code": code, "display": name}], "text": name},
            "valueQuantity": quantity,
            "referenceRange": [{"high": quantity | {"value": 140}, "text": f"{name} < 140 mmHg"}],
        }

    note = "坐位，安静休息五分钟后测量右上臂；袖带大小合适，测量两次取平均值。"
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": vital, "code": "vital-signs", "display": "Vital Signs"}]}
        ],
        "code": {
            "coding": [{"system": loinc, "code": "85354-9", "display": "Blood pressure panel"}]
        },
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-06-01T09:30:00+08:00",
        "issued": "2026-06-01T09:35:00+08:00",
        "performer": [{"reference": "Practitioner/nurse-cao", "display": "曹玉洁"}],
        "component": [part("8480-6", "收缩压", 128), part("8462-4", "舒张压", 79)],
        "note": [{"text": note * 4}],
    }


def bundle(number: int) -> bytes:
    """Return one patient's record of the city as a transaction whose references are urn:uuid."""
    record = [m.resource for m in build(patients=1) if m.resource["resourceType"] in RECORD]
    names = {
        f"{resource['resourceType']}/{resource['id']}": f"urn:uuid:{UUID(int=(number << 20) + i)}"
        for i, resource in enumerate(record)
    }
    entries = [
        {
            "fullUrl": urn,
            "resource": {name: value for name, value in resource.items() if name != "id"},
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for urn, resource in zip(names.values(), record, strict=True)
    ]
    made = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    text = fhirjson.encode(made).decode()
    for name, urn in names.items():
        text = text.replace(f'"reference":"{name}"', f'"reference":"{urn}"')
    return text.encode()


RECORD = frozenset(
    ("Patient", "Encounter", "Condition", "Observation", "DiagnosticReport", "MedicationRequest",
     "ServiceRequest", "Procedure", "Immunization", "AllergyIntolerance", "CarePlan", "Goal")
)  # fmt: skip
