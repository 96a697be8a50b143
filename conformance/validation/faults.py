"""Faults: what a check finds, before it is known where in the resource it stands.

A check takes a JSON value and returns None, or a list of faults whose paths begin at that value.
Only where something is wrong is a path built, on the way back up.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """`path` is relative (`.name[0]`); `code` an IssueType.

    `local` is set where a value points to a contained resource (`#id`), which only the resource
    around it can resolve: then `text` says what is wrong if it cannot, and is empty if that is
    allowed.
    """

    path: str
    code: str
    text: str
    local: str = ""


Faults = list[Fault] | None
Check = Callable[[Any], Faults]

LONGEST_SHOWN = 60
LONGEST_INTEGER = 10**LONGEST_SHOWN  # Python refuses to write very long integers


def fault(code: str, text: str) -> list[Fault]:
    """One fault at the value itself."""
    return [Fault("", code, text)]


def wrong(code: str, found: Any, expected: str) -> list[Fault]:
    """One fault at the value itself: what was found, what was expected."""
    return [Fault("", code, f"found {describe(found)}, expected {expected}")]


def under(prefix: str, faults: list[Fault]) -> list[Fault]:
    """The faults of a child, seen from its parent."""
    return [each._replace(path=prefix + each.path) for each in faults]


def describe(value: Any) -> str:
    """A JSON value in words, shortened.

    >>> describe({"a": 1}), describe(None), describe("x")
    ('an object', 'null', '"x"')
    """
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and not -LONGEST_INTEGER < value < LONGEST_INTEGER:
        return "a number of more than 60 digits"
    text = str(value)
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    return f'"{shown}"' if isinstance(value, str) else f"the number {shown}"
