"""Fixed values and patterns.

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_
"""

import json
from typing import Any

Json = dict[str, Any]


def stated(element: Json, stem: str) -> Any:
    """What an element states under `fixed[x]` or `pattern[x]`; None for nothing.

    >>> stated({"path": "Observation.status", "fixedCode": "final"}, "fixed")
    'final'
    """
    for key, value in element.items():
        if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
            return value
    return None


def is_equal(value: Any, fixed: Any) -> bool:
    """Whether a value is exactly the fixed one; true is not 1."""
    if isinstance(value, bool) or isinstance(fixed, bool):
        return value is fixed
    if isinstance(value, dict) and isinstance(fixed, dict):
        return value.keys() == fixed.keys() and all(is_equal(value[k], fixed[k]) for k in fixed)
    if isinstance(value, list) and isinstance(fixed, list):
        return len(value) == len(fixed) and all(map(is_equal, value, fixed))
    return bool(value == fixed)


def meets(value: Any, pattern: Any) -> bool:
    """Whether a value has all that a pattern has; of an array, each item somewhere.

    >>> meets({"coding": [{"code": "a"}, {"code": "b"}]}, {"coding": [{"code": "b"}]})
    True
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and meets(value[key], each) for key, each in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(meets(item, each) for item in value) for each in pattern
        )
    return is_equal(value, pattern)


def in_words(value: Any) -> str:
    """A fixed value or pattern as JSON, for messages."""
    return json.dumps(value, ensure_ascii=False, default=str)
