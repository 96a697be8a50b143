"""Positions of locations, and searches around a place.

https://hl7.org/fhir/R4/location.html#search

`near=LATITUDE|LONGITUDE[|DISTANCE[|UNIT]]`: degrees, and a UCUM unit of length (`km` if none).
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_server.model import Entry
from fhir_server.search.alternatives import Conds, cond
from fhir_server.search.escape import split, unescape
from fhir_server.search.position import box
from fhir_server.search.tree import Near
from terminology.ucum import UcumError, convert

EXPECTED = "latitude|longitude, perhaps with |distance and |unit of UCUM"
NEARBY = 50_000.0
"""Metres that count as near where no distance is given."""

_FARTHEST = Decimal("1e12")


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield the latitude and longitude of a position; nothing for what is not on the earth."""
    match value:
        case {
            "latitude": int() | float() | Decimal() as north,
            "longitude": int() | float() | Decimal() as east,
        }:
            latitude, longitude = float(north), float(east)
            if abs(latitude) <= 90 and abs(longitude) <= 180:
                yield Entry(param, latitude, longitude)


def near(param: str, text: str) -> Near:
    """Return the predicate of one value; raises ValueError with the form expected.

    >>> near("near", "31.2|121.5|2|[nmi_i]")
    Near(param='near', latitude=31.2, longitude=121.5, metres=3704.0)
    """
    parts = [unescape(part) for part in split(text, "|")]
    if not 2 <= len(parts) <= 4:
        raise ValueError(EXPECTED)
    latitude, longitude = _degrees(parts[0], 90), _degrees(parts[1], 180)
    return Near(param, latitude, longitude, _metres(*parts[2:]))


def around(node: Near) -> Conds:
    """Return the conditions that an entry lies in the box around what is near."""
    south, north, west, east = box(node.latitude, node.longitude, node.metres)
    found = cond("v", ">=", south) + cond("v", "<=", north)
    if west is None or east is None:
        return found
    return found + cond("w", ">=", west) + cond("w", "<=", east)


def _metres(distance: str = "", unit: str = "") -> float:
    if not distance:
        return NEARBY
    number = _number(distance)
    try:
        metres = convert(number, unit or "km", "m")
    except UcumError:
        metres = None
    if metres is None:
        raise ValueError(f"a unit of length such as km, m or [mi_us] instead of {unit}")
    if not 0 <= metres <= _FARTHEST:
        raise ValueError("a distance that is not negative")
    return float(metres)


def _degrees(text: str, most: int) -> float:
    number = _number(text)
    if abs(number) > most:
        raise ValueError(f"degrees from -{most} to {most} instead of {text}")
    return float(number)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(EXPECTED) from None
    if not number.is_finite():
        raise ValueError(EXPECTED)
    return number
