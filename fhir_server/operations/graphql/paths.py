"""FHIRPath in a query: what a filter may use, so that no text of it costs more than it is long.

https://hl7.org/fhir/R4/fhirpath.html

A filter looks at one object and what is in it. What leaves it (`%resource`), what goes through all
that is below, and what makes more of something than there was (`select`, `combine`, `replace`, …)
is refused: nested, these take as long as one likes.
"""

from collections.abc import Iterator

from conformance.definitions import Definitions
from conformance.fhirpath import Expression, FHIRPathError, compile, tree
from conformance.fhirpath.parser import parse

MOST_CHARACTERS = 1000

_ALLOWED = """
    all allTrue anyTrue as contains count distinct empty endsWith exists extension first
    hasValue iif in indexOf is isDistinct last length lower matches not now ofType single skip
    startsWith substring tail take toBoolean toDate toDateTime toDecimal toInteger toQuantity
    toString today upper where
"""
ALLOWED = frozenset(_ALLOWED.split())
"""Functions of a filter."""


def filter_path(text: str, definitions: Definitions, types: tuple[str, ...]) -> Expression:
    """Return a filter, compiled for objects of these types.

    Raises `FHIRPathError` also for what is not for filters.

    >>> from conformance.definitions import load
    >>> filter_path("use = 'official'", load(), ("HumanName",)).text
    "use = 'official'"
    """
    if len(text) > MOST_CHARACTERS:
        raise FHIRPathError(f"a filter has {MOST_CHARACTERS} characters at most")
    for each in _all(parse(text)):
        match each:
            case tree.Call(_, name) if name not in ALLOWED:
                raise FHIRPathError(f"{name}() is not for filters")
            case tree.External(name):
                raise FHIRPathError(f"%{name} is not for filters")
    return compile(text, definitions, *types)


def _all(found: tree.Tree | None) -> Iterator[tree.Tree]:
    if found is None:
        return
    yield found
    match found:
        case tree.Member(base):
            yield from _all(base)
        case tree.Call(base, _, arguments):
            yield from _all(base)
            for each in arguments:
                yield from _all(each)
        case tree.Index(base, index):
            yield from _all(base)
            yield from _all(index)
        case tree.Sign(_, operand) | tree.TypeTest(_, operand):
            yield from _all(operand)
        case tree.Binary(_, left, right):
            yield from _all(left)
            yield from _all(right)
