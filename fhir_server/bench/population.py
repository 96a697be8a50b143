"""A population of any size, the same each time: patients and what is written about them.

Of each hundred resources ten are patients; the rest are about them: observations, conditions,
encounters, prescriptions, procedures. So the records of one patient are as many in a large
population as in a small one, while what has a common code grows with it. Every tenth patient has a
family name that few share, and `RARE` codes occur `FEW` times in all, however many resources there
are.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from fhir_server.bench.records import SYSTEM

Resource = dict[str, Any]

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
COMMON, MEDIUM, RARE, PRESSURE = "8867-4", "8310-5", "2160-0", "85354-9"
FEW = 40
"""How many observations have the code RARE."""
DISEASES = ("44054006", "38341003", "13645005", "195967001", "73211009")
PRACTITIONERS, LOCATIONS = 50, 20

_FAMILIES = ("Smith", "Sun", "Brown", "Bai", "Chen", "Davis", "Wang", "Li", "Zhang", "Zhao")
_GIVEN = ("Anna", "An", "Ben", "Carl", "Dora", "Emil", "Fang", "Gang", "Hua", "Ida")
_START = date(2016, 1, 1)
_DAYS = 3650
_ABOUT = 9
"""Hundreds hold ten patients and ninety resources about them, nine each."""


def resources(count: int) -> Iterator[Resource]:
    """Yield so many resources, or a few more: whoever is referred to comes first."""
    for number in range(PRACTITIONERS):
        yield {"resourceType": "Practitioner", "id": f"doctor-{number}", "active": True}
    for number in range(LOCATIONS):
        yield {"resourceType": "Location", "id": f"ward-{number}", "status": "active"}
    for number in range(max(count // (_ABOUT + 1), 1)):
        yield patient(number)
        for place in range(_ABOUT):
            yield _about(number, place)


def patients(count: int) -> int:
    """Return how many of `count` resources are patients."""
    return max(count // (_ABOUT + 1), 1)


def spread(turn: int, count: int) -> int:
    """Return the number of one of so many patients: another one each turn, far from the last."""
    return turn * 7919 % count


def family(number: int) -> str:
    """Return a patient's family name; that of every tenth is nearly nobody else's."""
    return _FAMILIES[number % 10] if number % 10 else f"Single{number}"


def patient(number: int) -> Resource:
    """Return a Patient."""
    born = date(1930, 1, 1) + timedelta(days=number * 7919 % 30000)
    return {
        "resourceType": "Patient",
        "id": f"patient-{number}",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">'
            f"<p>{_GIVEN[number * 7 % 10]} {family(number)}, 海州{number % 97}号</p></div>",
        },
        "identifier": [{"system": SYSTEM, "value": f"mrn-{number}"}],
        "name": [{"family": family(number), "given": [_GIVEN[number * 7 % 10]]}],
        "gender": "female" if number % 2 else "male",
        "birthDate": born.isoformat(),
        "address": [{"city": "海州", "line": [f"新华路{number % 97}号"]}],
    }


def _about(number: int, place: int) -> Resource:
    seed = number * _ABOUT + place
    match place:
        case 0:
            return _condition(seed, number)
        case 1:
            return _encounter(seed, number)
        case 2:
            return _prescription(seed, number)
        case 3 if number % 3 == 0:
            return _procedure(seed, number)
        case _:
            return _observation(seed, number)


def _day(seed: int) -> str:
    return (_START + timedelta(days=seed * 613 % _DAYS)).isoformat()


def _coded(system: str, code: str, text: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def _base(kind: str, seed: int, number: int, who: str = "subject") -> Resource:
    id = f"{kind.lower()}-{seed}"
    return {"resourceType": kind, "id": id, who: {"reference": f"Patient/patient-{number}"}}


def _observation(seed: int, number: int) -> Resource:
    made = _base("Observation", seed, number)
    made |= {"status": "final", "effectiveDateTime": f"{_day(seed)}T08:30:00+08:00"}
    quantity = {"value": seed % 180, "unit": "/min", "system": UCUM, "code": "/min"}
    if number < FEW and seed % _ABOUT == 4:
        return made | {"code": _coded(LOINC, RARE, "Creatinine"), "valueQuantity": quantity}
    if seed % 10 == 1:
        return made | {"code": _coded(LOINC, MEDIUM, "Body temperature"), "valueQuantity": quantity}
    if seed % 3:
        return made | {"code": _coded(LOINC, COMMON, "Heart rate"), "valueQuantity": quantity}
    part = {"unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
    return made | {
        "code": _coded(LOINC, PRESSURE, "Blood pressure"),
        "component": [
            {
                "code": _coded(LOINC, "8480-6", "Systolic"),
                "valueQuantity": part | {"value": 90 + seed % 90},
            },
            {
                "code": _coded(LOINC, "8462-4", "Diastolic"),
                "valueQuantity": part | {"value": 50 + seed % 50},
            },
        ],
    }


def _condition(seed: int, number: int) -> Resource:
    code = DISEASES[number % len(DISEASES)]
    return _base("Condition", seed, number) | {
        "code": _coded(SNOMED, code, f"Disease {code}"),
        "recordedDate": _day(seed),
    }


def _encounter(seed: int, number: int) -> Resource:
    doctor, ward = f"Practitioner/doctor-{seed % PRACTITIONERS}", f"ward-{seed % LOCATIONS}"
    return _base("Encounter", seed, number) | {
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": _day(seed), "end": _day(seed)},
        "participant": [{"individual": {"reference": doctor}}],
        "location": [{"location": {"reference": f"Location/{ward}"}}],
    }


def _prescription(seed: int, number: int) -> Resource:
    return _base("MedicationRequest", seed, number) | {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _coded(SNOMED, f"77{seed % 60:04}", "Tablet"),
        "authoredOn": _day(seed),
    }


def _procedure(seed: int, number: int) -> Resource:
    return _base("Procedure", seed, number) | {
        "status": "completed",
        "code": _coded(SNOMED, f"88{seed % 40:04}", "Procedure"),
        "performedDateTime": _day(seed),
    }
