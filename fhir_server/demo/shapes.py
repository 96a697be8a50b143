"""The small R4 data types that the demo city's resources are made of.

https://hl7.org/fhir/R4/datatypes.html
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fhir_server.demo.systems import UCUM

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A resource of the city and the id of the Organization that writes it."""

    owner: str
    resource: Json


def reference(target: str, display: str | None = None) -> Json:
    """Returns a Reference to `target`, `Type/id`."""
    return {"reference": target} if display is None else {"reference": target, "display": display}


def coding(system: str, code: str, display: str | None = None) -> Json:
    """Returns a Coding."""
    found = {"system": system, "code": code}
    return found if display is None else {**found, "display": display}


def concept(text: str | None, *codings: Json) -> Json:
    """Returns a CodeableConcept with what a reader sees and what a machine matches."""
    found: Json = {}
    if codings:
        found["coding"] = list(codings)
    if text is not None:
        found["text"] = text
    return found


def decimal(value: float, digits: int) -> Decimal:
    """Returns `value` with exactly `digits` decimals, trailing zeros kept: 5.6, 2 → `5.60`."""
    return Decimal(f"{value:.{digits}f}")


def quantity(value: Decimal, unit: str, code: str) -> Json:
    """Returns a Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def moment(day: date, minute: int) -> str:
    """Returns the dateTime `minute` minutes after midnight of `day`, in China's zone."""
    over, left = divmod(minute, 1440)
    day = day + timedelta(days=over)
    return f"{day.isoformat()}T{left // 60:02d}:{left % 60:02d}:00+08:00"


def hl7_time(at: datetime) -> str:
    """Returns a v2 TS to the second with its offset: `20260105083000+0800`."""
    return at.strftime("%Y%m%d%H%M%S%z")
