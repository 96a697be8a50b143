"""Token modifiers that ask a terminology: value sets, and what stands above or below a code.

https://hl7.org/fhir/R4/search.html#token

The nodes made here name what is asked; the codes that it means are looked up before a store reads
them, under the caller's rights.
"""

from fhir_server.search.escape import split, unescape
from fhir_server.search.tree import Direction, InValueSet, Node, Subsumed

EXPECTED_VALUE_SET = "a value set: its URL, perhaps |version, or ValueSet/id"
EXPECTED_CODE = "system|code"

Pairs = frozenset[tuple[str, str]]


def in_value_set(param: str, text: str, implied: Pairs) -> Node:
    """Return that a code is in a value set; raises ValueError with the form expected."""
    named = unescape(text)
    if not named or named.startswith("|"):
        raise ValueError(EXPECTED_VALUE_SET)
    return InValueSet(param, named, implied)


def subsumed(param: str, text: str, direction: Direction, implied: Pairs) -> Node:
    """Return that a code is this one, or stands above or below it.

    A bare code is one of the system that the element's own value set gives to it. Raises ValueError
    with the form expected.
    """
    match [unescape(part) for part in split(text, "|")]:
        case [system, code] if system and code:
            return Subsumed(param, direction, system, code, implied)
        case [code] if len(systems := {of for of, each in implied if each == code}) == 1:
            return Subsumed(param, direction, systems.pop(), code, implied)
    raise ValueError(EXPECTED_CODE)
