"""Faults: what a check finds, before it is known where in the resource it stands.

A check takes a JSON value and returns None, or a list of faults whose paths begin at that value.
Only where something is wrong is a path built, on the way back up.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from conformance.issues import Severity


class Fault(NamedTuple):
    """`path` is relative (`.name[0]`); `code` an IssueType.

    `pending` is set where only the resource around can tell whether something is wrong: to `#id`
    where a value points to a contained resource (`text` is empty if it need not be there), to the
    URL of an extension whose place decides.
    """

    path: str
    code: str
    text: str
    pending: str = ""
    severity: Severity = "error"


Faults = list[Fault] | None
Check = Callable[[Any], Faults]

LONGEST_SHOWN = 60
LONGEST_INTEGER = 10**LONGEST_SHOWN  # Python refuses to write very long integers


def fault(code: str, text: str) -> list[Fault]:
    """One fault at the value itself."""
    return [Fault("", code, text)]


def warning(code: str, text: str) -> list[Fault]:
    """One fault at the value itself that does not make it invalid."""
    return [Fault("", code, text, severity="warning")]


def both(found: Faults, more: Faults) -> Faults:
    """The faults of two checks of one value."""
    if not found or not more:
        return found or more
    return found + more


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
