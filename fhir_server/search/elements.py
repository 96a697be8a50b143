"""The elements that a search parameter reads, where its expression is a plain path.

https://hl7.org/fhir/R4/searchparameter.html
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from conformance.definitions import Definitions, Element, SearchParameter

_PATH = re.compile(r"([A-Z]\w+)((?:\.\w+)+)", re.ASCII)
_START = re.compile(r"\(?([A-Z]\w+)\.(\w+)", re.ASCII)
_ROOT = re.compile(r"\(?([A-Z]\w+)\b", re.ASCII)
_RESOLVED = re.compile(r"[\w.]+\.where\(resolve\(\) is (\w+)\)", re.ASCII)
_WHERE = re.compile(r"\.where\([^()]*\)", re.ASCII)
_CAST = re.compile(r"\(([\w.]+) as \w+\)", re.ASCII)
_SPECIAL_VALUES = "http://terminology.hl7.org/CodeSystem/special-values"
_BOOLEANS = frozenset(((_SPECIAL_VALUES, "true"), (_SPECIAL_VALUES, "false")))
_CANONICAL = frozenset(("canonical", "uri"))
_DECIDES = re.compile(r"\b(and|or|xor|implies|contains)\b|[!<>&~]")
_FUNCTION = re.compile(r"(\w+)\s*\(", re.ASCII)
_FINDS_NOTHING_IN_NOTHING = frozenset(
    ("where", "as", "ofType", "is", "resolve", "extension", "first", "last")
)


def read_by(
    definitions: Definitions, type_name: str, parameter: SearchParameter
) -> Iterator[Element]:
    """Yield the elements at the ends of the parameter's plain paths on a type.

    >>> from conformance.definitions import load
    >>> gender = load().search_parameters("Patient")["gender"]
    >>> [element.name for element in read_by(load(), "Patient", gender)]
    ['gender']
    """
    for branch in parameter.expression.split("|"):
        found = _PATH.fullmatch(branch.strip())
        if found and found[1] == type_name:
            element = _end(definitions, type_name, found[2][1:].split("."))
            if element is not None:
                yield element


def _end(definitions: Definitions, type_name: str, names: list[str]) -> Element | None:
    element = None
    for name in names:
        element = definitions.elements(type_name).get(name)
        if element is None or len(element.types) != 1:
            return None
        type_name = element.types[0]
    return element


@lru_cache(maxsize=2048)
def implied_codes(
    definitions: Definitions, type_name: str, parameter: SearchParameter
) -> frozenset[tuple[str, str]]:
    """Return the (system, code) pairs that required value sets give to a parameter's bare codes.

    A boolean's are of special-values: https://hl7.org/fhir/R4/search.html#token
    """
    read = list(read_by(definitions, type_name, parameter))
    if any(element.types == ("boolean",) for element in read):
        return _BOOLEANS
    return frozenset(
        (system, code)
        for element in read
        if element.types == ("code",) and element.value_set
        for system, codes in definitions.value_set(element.value_set).items()
        for code in codes
    )


@lru_cache(maxsize=2048)
def is_text(definitions: Definitions, type_name: str, parameter: SearchParameter) -> bool:
    """Whether a token parameter reads plain strings, which are not case sensitive."""
    return any(
        element.types == ("string",) for element in read_by(definitions, type_name, parameter)
    )


@lru_cache(maxsize=2048)
def targets(
    definitions: Definitions, type_name: str, parameter: SearchParameter
) -> tuple[str, ...]:
    """Return the types that a reference parameter of a type may point to.

    One parameter serves many types; the element that it reads on this one often narrows it.

    >>> from conformance.definitions import load
    >>> targets(load(), "Observation", load().search_parameters("Observation")["patient"])
    ('Patient',)
    """
    declared = parameter.targets or tuple(sorted(definitions.resource_types))
    expression = on_type(definitions, type_name, parameter.expression)
    if found := _RESOLVED.fullmatch(expression):
        return (found[1],)
    read = list(read_by(definitions, type_name, parameter))
    allowed = read[0].targets.get("Reference") if len(read) == 1 and "|" not in expression else None
    narrowed = tuple(each for each in declared if each in allowed) if allowed else ()
    return narrowed or declared


@lru_cache(maxsize=2048)
def reads_canonicals(definitions: Definitions, type_name: str, parameter: SearchParameter) -> bool:
    """Whether a reference parameter of a type reads canonical URLs, and no Reference.

    >>> from conformance.definitions import load
    >>> known = load().search_parameters("CarePlan")
    >>> [reads_canonicals(load(), "CarePlan", known[each])
    ...     for each in ("instantiates-canonical", "subject")]
    [True, False]
    """
    expression = _CAST.sub(r"\1", _WHERE.sub("", parameter.expression))
    ends = [
        _types_at(definitions, type_name, found[2][1:].split("."))
        for branch in expression.split("|")
        if (found := _PATH.fullmatch(branch.strip())) and found[1] == type_name
    ]
    return bool(ends) and all(_CANONICAL.issuperset(types) for types in ends)


def _types_at(definitions: Definitions, type_name: str, names: list[str]) -> tuple[str, ...]:
    *first, last = names
    if first:
        element = _end(definitions, type_name, first)
        if element is None:
            return ("",)
        type_name = element.types[0]
    found = definitions.elements(type_name).get(last)
    return found.types if found else ("",)


def needed(
    definitions: Definitions, type_name: str, parameter: SearchParameter
) -> frozenset[str] | None:
    """Return the JSON properties without any of which the expression finds nothing.

    `None` where that cannot be told from its text: the expression has to be evaluated.
    """
    if _DECIDES.search(parameter.expression):
        return None
    if not _FINDS_NOTHING_IN_NOTHING.issuperset(_FUNCTION.findall(parameter.expression)):
        return None
    names: set[str] = set()
    for branch in parameter.expression.split("|"):
        found = _START.match(branch.strip())
        if found is None:
            return None
        if found[1] == type_name:
            element = definitions.elements(type_name).get(found[2])
            if element is None:
                return None
            for name, _ in element.properties():
                names |= {name, f"_{name}"}
    return frozenset(names)


def on_type(definitions: Definitions, type_name: str, expression: str) -> str:
    """Return an expression without the branches of its union that start at another resource type.

    >>> from conformance.definitions import load
    >>> on_type(load(), "Group", "Patient.name | Group.name")
    'Group.name'
    """
    return " | ".join(branches(definitions, type_name, expression))


def branches(definitions: Definitions, type_name: str, expression: str) -> list[str]:
    """Return the branches of an expression's union that do not start at another resource type; the
    whole where it cannot be split."""
    all = [each.strip() for each in expression.split("|")]
    if any(each.count("(") != each.count(")") for each in all):
        return [expression]
    return [each for each in all if _starts_at(definitions, each) in (type_name, None)] or [
        expression
    ]


def _starts_at(definitions: Definitions, branch: str) -> str | None:
    found = _ROOT.match(branch)
    return found[1] if found and definitions.is_resource_type(found[1]) else None
