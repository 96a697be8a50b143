"""What the cases send: patients, observations, and whole records as transaction Bundles."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from fhir_server import fhirjson
from fhir_server.demo.city import build

_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_VITAL = "http://terminology.hl7.org/CodeSystem/observation-category"
_NOTE = "坐位，安静休息五分钟后测量右上臂；袖带大小合适，测量两次取平均值。"
_RECORD = frozenset(
    ("Patient", "Encounter", "Condition", "Observation", "DiagnosticReport", "MedicationRequest",
     "ServiceRequest", "Procedure", "Immunization", "AllergyIntolerance", "CarePlan", "Goal")
)  # fmt: skip
_PATIENTS = 50

Resource = dict[str, Any]
Transaction = tuple[bytes, int]
"""A Bundle, and how many entries it has."""

SYSTEM = "urn:fhir-hub:bench"
"""The system of the identifiers that are made here."""


def patient(value: str) -> Resource:
    """Return a Patient with an identifier of its own."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": SYSTEM, "value": value}],
        "active": True,
        "name": [{"text": "测量一", "family": "测", "given": ["量一"]}],
        "telecom": [{"system": "phone", "value": "13800000000", "use": "mobile"}],
        "gender": "female",
        "birthDate": "1960-03-04",
        "address": [
            {"text": "新华路12号", "city": "海州", "postalCode": "222000", "country": "CN"}
        ],
    }


def small(subject: str) -> Resource:
    """Return as little of an Observation as there can be."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "8867-4"}]},
        "subject": {"reference": subject},
    }


def observation(subject: str, systolic: int = 128) -> Resource:
    """Return a blood pressure of about 2 KB."""

    def part(code: str, name: str, value: int) -> Resource:
        quantity = {"value": value, "unit": "mmHg", "system": _UCUM, "code": "mm[Hg]"}
        return {
            "code": {"coding": [{"system": _LOINC, "code": code, "display": name}], "text": name},
            "valueQuantity": quantity,
            "referenceRange": [{"high": quantity | {"value": 140}, "text": f"{name} < 140 mmHg"}],
        }

    return small(subject) | {
        "category": [
            {"coding": [{"system": _VITAL, "code": "vital-signs", "display": "Vital Signs"}]}
        ],
        "code": {
            "coding": [{"system": _LOINC, "code": "85354-9", "display": "Blood pressure panel"}]
        },
        "effectiveDateTime": "2026-06-01T09:30:00+08:00",
        "issued": "2026-06-01T09:35:00+08:00",
        "performer": [{"display": "曹玉洁"}],
        "component": [part("8480-6", "收缩压", systolic), part("8462-4", "舒张压", 79)],
        "note": [{"text": _NOTE * 4}],
    }


def city() -> list[Transaction]:
    """Return the records of some patients of the demo city, a Bundle each."""
    return [(fhirjson.encode(bundle(record)), len(record)) for record in _records(_PATIENTS)]


def own(folder: Path) -> list[Transaction]:
    """Return the Bundles of a folder that hold a Patient. Raises ValueError where there is none."""
    found = [made for made, is_own in map(read, sorted(folder.glob("*.json"))) if is_own]
    if not found:
        raise ValueError(f"{folder} holds no transaction Bundle with a Patient (*.json)")
    return found


def shared(folder: Path) -> list[Path]:
    """Return the files of a folder that hold no Patient, but what those of patients refer to."""
    return [path for path in sorted(folder.glob("*.json")) if not read(path)[1]]


def read(path: Path) -> tuple[Transaction, bool]:
    """Return a file's Bundle, and whether it holds a Patient."""
    body = path.read_bytes()
    entries = fhirjson.decode(body).get("entry", ())
    types = {entry.get("resource", {}).get("resourceType") for entry in entries}
    return (body, len(entries)), "Patient" in types


def _records(patients: int) -> Iterator[list[Resource]]:
    """Yield the record of each patient of a city."""
    record: list[Resource] = []
    for made in build(patients=patients):
        type = made.resource["resourceType"]
        if type == "Patient" and record:
            yield record
            record = []
        if type in _RECORD:
            record.append(made.resource)
    yield record


def bundle(record: Sequence[Resource]) -> Resource:
    """Return a record as a transaction whose references are urn:uuid; those that lead out of it
    keep their words alone, since another server does not hold what they name."""
    names = {
        f"{resource['resourceType']}/{resource['id']}": f"urn:uuid:{UUID(int=i + 1)}"
        for i, resource in enumerate(record)
    }
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urn,
                "resource": _linked({k: v for k, v in resource.items() if k != "id"}, names),
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for urn, resource in zip(names.values(), record, strict=True)
        ],
    }


def _linked(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_linked(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    name = value.get("reference")
    if not isinstance(name, str):
        return {key: _linked(each, names) for key, each in value.items()}
    if name in names:
        return value | {"reference": names[name]}
    return {"display": name} | {key: each for key, each in value.items() if key != "reference"}
