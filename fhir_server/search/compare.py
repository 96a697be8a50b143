"""The comparisons of a condition, on values.

1. Numbers and text never compare: `5 < "a"` does not hold, and neither does its opposite.
2. Text is ordered by code point.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from fhir_server.model import Value


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Any], bool]:
    def test(left: Value, right: Any) -> bool:
        return isinstance(left, str) == isinstance(right, str) and compare(left, right)

    return test


TESTS: dict[str, Callable[[Value, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "<": _ordered(lt),
    "<=": _ordered(le),
    ">": _ordered(gt),
    ">=": _ordered(ge),
    "prefix": lambda left, right: isinstance(left, str) and left.startswith(right),
    "contains": lambda left, right: isinstance(left, str) and right in left,
    "suffix": lambda left, right: isinstance(left, str) and left.endswith(right),
    "in": lambda left, right: left in right,
}
"""Operator -> the comparison of a value with what it is compared with."""
