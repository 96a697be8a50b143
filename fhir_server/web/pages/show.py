"""Resources in a reader's words: names, times, values. Pure; a missing element is empty text."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fhir_server.search.terms import SHANGHAI
from fhir_server.web.directory import Language
from fhir_server.web.pages.words import word, word_or

Json = dict[str, Any]

RESIDENT_ID = "urn:oid:2.16.156.10011.1.3"
_LATIN = re.compile(r"[A-Za-z]")
_FLAGS = {"H": "high", "HH": "high", "HU": "high", "L": "low", "LL": "low", "LU": "low"}
_ABNORMAL = frozenset(("A", "AA", "POS", "DET"))


def items(value: object) -> list[Json]:
    """Return the objects of a list that may be absent."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(concept: object) -> str:
    """Return the words of a CodeableConcept: its text, else a display, else a code."""
    if not isinstance(concept, dict):
        return ""
    if concept.get("text"):
        return str(concept["text"])
    codings = items(concept.get("coding"))
    shown = [each.get("display") or each.get("code") or "" for each in codings]
    return next((str(each) for each in shown if each), "")


def code(concept: object, system: str = "") -> str:
    """Return the first code of a CodeableConcept, of one system if it is named."""
    codings = items(concept.get("coding")) if isinstance(concept, dict) else []
    wanted = [each for each in codings if not system or each.get("system") == system]
    return next((str(each["code"]) for each in wanted if "code" in each), "")


def person(resource: Json | None, language: Language) -> str:
    """Return a Patient's or Practitioner's name; in English the Latin one comes first."""
    names = [str(each.get("text") or _joined(each)) for each in items((resource or {}).get("name"))]
    names = [each for each in names if each]
    if language == "zh" or len(names) < 2:
        return names[0] if names else ""
    latin = next((each for each in names if _LATIN.search(each)), "")
    other = next((each for each in names if each != latin), "")
    return f"{latin} {other}".strip()


def _joined(name: Json) -> str:
    family, given = str(name.get("family", "")), [str(each) for each in name.get("given", ())]
    if _LATIN.search(family):
        return " ".join([*given, family])
    return family + "".join(given)


def local(instant: str) -> str:
    """Return a FHIR date, dateTime or instant in the hub's zone: `2026-05-04 09:10`, or a date.

    >>> local("2026-05-04T01:10:00Z"), local("2026-05")
    ('2026-05-04 09:10', '2026-05')
    """
    if "T" not in instant:
        return instant
    try:
        moment = datetime.fromisoformat(instant)
    except ValueError:
        return instant
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def clock(milliseconds: int) -> str:
    """Return milliseconds since 1970 in the hub's zone, to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def today(now: int) -> date:
    """Return the day of a moment in the hub's zone."""
    return datetime.fromtimestamp(now / 1000, SHANGHAI).date()


def age(patient: Json | None, now: int, language: Language) -> str:
    """Return the age in years, of the youngest in months; empty where no full date is known."""
    try:
        birth = date.fromisoformat(str((patient or {}).get("birthDate", "")))
    except ValueError:
        return ""
    day = today(now)
    months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    unit, number = ("years", months // 12) if months >= 36 else ("months", months)
    return word(language, f"age.{unit}", n=number)


def since(instant: str, now: int, language: Language) -> str:
    """Return how long ago an instant was, in its largest unit; empty where there is none."""
    try:
        moment = datetime.fromisoformat(instant)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    minutes = max(0, int(now / 60_000 - moment.timestamp() / 60))
    for unit, size in (("days", 1440), ("hours", 60)):
        if minutes >= size:
            return word(language, f"ago.{unit}", n=minutes // size)
    return word(language, "ago.minutes", n=minutes)


def who(patient: Json | None, now: int, language: Language) -> str:
    """Return sex and age of a patient, as a clinician says them."""
    sex = word_or(language, f"gender.{(patient or {}).get('gender', '')}", "")
    return " · ".join(part for part in (sex, age(patient, now, language)) if part)


def identity(patient: Json) -> str:
    """Return the identity number with its middle hidden: it is a credential elsewhere.

    >>> identity({"identifier": [{"system": RESIDENT_ID, "value": "990100197106240077"}]})
    '9901**********0077'
    """
    for each in items(patient.get("identifier")):
        if each.get("system") == RESIDENT_ID:
            value = str(each.get("value", ""))
            return value[:4] + "*" * max(0, len(value) - 8) + value[-4:]
    return ""


def numbers(patient: Json, language: Language) -> list[tuple[str, str]]:
    """Return a patient's other numbers, each with what it is and who gave it."""
    found = []
    for each in items(patient.get("identifier")):
        if each.get("system") != RESIDENT_ID and each.get("value"):
            giver = str((each.get("assigner") or {}).get("display", ""))
            kind = (each.get("type") or {}).get("text") or word_or(
                language, f"number.{code(each.get('type'))}", giver
            )
            found.append((str(kind), str(each["value"])))
    return found


def quantity(value: object) -> str:
    """Return a Quantity as it was written, all digits kept: `7.10 mmol/L`."""
    if not isinstance(value, dict) or "value" not in value:
        return ""
    number = f"{value.get('comparator', '')}{value['value']}"
    return f"{number} {value.get('unit') or value.get('code') or ''}".strip()


def value_of(observation: Json) -> str:
    """Return an Observation's value, or those of its components in a row."""
    for name in ("valueQuantity", "valueString", "valueInteger", "valueDateTime", "valueBoolean"):
        if name in observation:
            value = observation[name]
            return quantity(value) if isinstance(value, dict) else str(value)
    if "valueCodeableConcept" in observation:
        return text(observation["valueCodeableConcept"])
    parts = items(observation.get("component"))
    values = [each.get("valueQuantity") or {} for each in parts]
    units = {each.get("unit") or each.get("code") for each in values}
    if len(values) == 2 and len(units) == 1 and all("value" in each for each in values):
        return f"{values[0]['value']}/{values[1]['value']} {units.pop() or ''}".strip()
    return "，".join(f"{text(each.get('code'))} {value_of(each)}" for each in parts)


def range_of(observation: Json) -> str:
    """Return the reference range of an Observation."""
    ranges = items(observation.get("referenceRange"))
    if not ranges:
        return ""
    first = ranges[0]
    low, high = first.get("low") or {}, first.get("high") or {}
    if "value" in low and "value" in high:
        return f"{low['value']}–{high['value']}"
    if "value" in high:
        return f"≤ {high['value']}"
    return f"≥ {low['value']}" if "value" in low else str(first.get("text", ""))


def flag(observation: Json) -> str:
    """Return `high`, `low`, `abnormal` or nothing, as the interpretation says."""
    codes = [code(each) for each in items(observation.get("interpretation"))]
    for each in codes:
        if each in _FLAGS:
            return _FLAGS[each]
    return "abnormal" if _ABNORMAL & set(codes) else ""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of a table of results."""

    name: str
    value: str
    range: str = ""
    flag: str = ""


def result(observation: Json) -> Result:
    """Return an Observation as a line of results."""
    return Result(
        text(observation.get("code")), value_of(observation), range_of(observation),
        flag(observation),
    )  # fmt: skip


def reference(value: object) -> str:
    """Return the literal reference of a Reference, without a version."""
    name = str(value.get("reference", "")) if isinstance(value, dict) else ""
    return name.partition("/_history/")[0]


def display(value: object) -> str:
    """Return the words of a Reference."""
    return str(value.get("display", "")) if isinstance(value, dict) else ""
