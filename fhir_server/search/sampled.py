"""The bounds of the values of a SampledData, as a Range.

https://hl7.org/fhir/R4/datatypes.html#SampledData, "just search on the bounds of the values in
sampled data" (Observation.value-quantity)
"""

from decimal import Decimal, InvalidOperation
from typing import Any


def bounded(value: dict[str, Any]) -> dict[str, Any]:
    """Return the Range from the lowest to the highest value, in the unit of the origin.

    An error (`E`) is no value; one below or above what can be detected (`L`, `U`) counts as that
    limit. Without any value, the Range is empty.

    >>> bounded({"origin": {"value": 10}, "factor": 2, "data": "1 E 3"})
    {'low': {'value': Decimal('12')}, 'high': {'value': Decimal('16')}}
    """
    origin, data = value.get("origin"), value.get("data")
    if not isinstance(origin, dict) or not isinstance(data, str):
        return {}
    limits = {"L": value.get("lowerLimit"), "U": value.get("upperLimit")}
    points = [found for each in data.split() if (found := _point(each, limits)) is not None]
    if not points:
        return {}
    try:
        start, factor = Decimal(origin.get("value", 0)), Decimal(value.get("factor", 1))
        ends = [start + factor * each for each in (min(points), max(points))]
    except (ArithmeticError, TypeError, ValueError):
        return {}
    return {
        "low": {**origin, "value": min(ends)},
        "high": {**origin, "value": max(ends)},
    }


def _point(text: str, limits: dict[str, Any]) -> Decimal | None:
    try:
        point = Decimal(limits.get(text, text))
    except (InvalidOperation, TypeError, ValueError):
        return None
    return point if point.is_finite() else None
