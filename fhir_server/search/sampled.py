"""SampledData as a quantity: from its lowest to its highest sample.

https://hl7.org/fhir/R4/datatypes.html#SampledData

1. A sample is `origin + factor * number`; `E` (no value) counts for nothing.
2. `L` and `U` lie beyond the limits of the device: the value is open at that end.
"""

import sys
from typing import Any

Bounds = tuple[float, float]

_MAX = sys.float_info.max
_MARKS = frozenset(("E", "L", "U"))


def bounds(value: dict[str, Any], origin: Bounds | None) -> Bounds | None:
    """Return the lowest and the highest sample; None where there is none.

    >>> bounds({"factor": 0.5, "data": "2 E 8"}, (2.0, 2.0))
    (3.0, 6.0)
    """
    data = value.get("data")
    if origin is None or not isinstance(data, str):
        return None
    samples = data.split()
    try:
        factor = float(value.get("factor", 1))
        ends = [origin[0] + factor * float(each) for each in samples if each not in _MARKS]
    except (TypeError, ValueError):
        return None
    if "L" in samples:
        ends.append(-_MAX)
    if "U" in samples:
        ends.append(_MAX)
    return (min(ends), max(ends)) if ends else None
