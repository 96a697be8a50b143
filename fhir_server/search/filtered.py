"""What a `_filter` means, in the predicates that other parameters make.

https://hl7.org/fhir/R4/search_filter.html#ops

1. Which operator goes with which type of parameter is told by tables; any other is a 400 that names
   those that do.
2. A path goes through references as a chain does. Through a composite, `name[a eq x].b`, the parts
   are those of one place.
3. What is compared is what ordinary search compares: text without case, accents and width, and
   codes as they are written.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.definitions import SearchParameter
from fhir_server.errors import BadRequest
from fhir_server.search import filter, joins, operators
from fhir_server.search.alternatives import Alternatives, anyone
from fhir_server.search.asked import Asked
from fhir_server.search.condition import ANYTHING, Component, component, together
from fhir_server.search.escape import escape
from fhir_server.search.filter import Filter, FilterError, Joined, Negated, Step, Test
from fhir_server.search.place import Place, parameter
from fhir_server.search.tree import Node, Not, Together, both, either
from fhir_server.search.unions import stored

Criterion = Callable[[Place, str, str], Node]

NAMESPACES = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ucum": "http://unitsofmeasure.org",
}
"""Names that stand for systems in a filter."""

MODIFIERS = {
    ("token", "eq"): "",
    ("token", "in"): ":in",
    ("token", "ni"): ":not-in",
    ("token", "ss"): ":below",
    ("token", "sb"): ":above",
    ("reference", "re"): "",
    ("reference", "eq"): "",
    ("string", "co"): ":contains",
    ("string", "sw"): "",
    ("uri", "eq"): "",
    ("uri", "ss"): ":below",
    ("uri", "sb"): ":above",
    ("composite", "eq"): "",
    ("special", "eq"): "",
    ("special", "co"): "",
}
"""Type and operator -> the modifier of the parameter that means the same."""

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")
ORDERED = ("number", "date", "quantity")
"""Operators that are prefixes, and the types that take them."""

COMPOSITES = {
    ("Group", "characteristic"): ("characteristic-value", {"code": "characteristic"}),
    ("DocumentReference", "relatesTo"): (
        "relationship",
        {"code": "relation", "target": "relatesto"},
    ),
}
"""Names that a filter has for composites, with its names for their parts."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the other parameters are read."""

    criterion: Criterion

    def node(self, place: Place, found: Filter) -> Node:
        match found:
            case Joined("and", parts):
                return both(*(self.node(place, each) for each in parts))
            case Joined(_, parts):
                return either(*(self.node(place, each) for each in parts))
            case Negated(inner):
                return Not(self.node(place, inner))
            case Test(path=path):
                try:
                    return self.along(place, path, found)
                except FilterError:
                    raise
                except BadRequest as fault:
                    raise FilterError(found.column, str(fault)) from None

    def along(self, place: Place, path: Sequence[Step], test: Test) -> Node:
        first, *rest = path
        if first.name.startswith("_has:"):
            return joins.reverse(
                place,
                first.name,
                lambda there, name: self.along(there, (Step(name, first.filter), *rest), test),
            )
        if not rest:
            return stored(place.definitions, place.type, self.test(place, first.name, test))
        code, _, target = first.name.partition(":")
        if (grouped := _composite(place, first)) is not None:
            found = _together(place, grouped, _tests(first, rest, test))
            return stored(place.definitions, place.type, found)

        def inner(there: Place) -> Node:
            inside = () if first.filter is None else (self.node(there, first.filter),)
            return both(*inside, self.along(there, rest, test))

        return joins.chain(place, code, target, inner)

    def test(self, place: Place, name: str, test: Test) -> Node:
        if ":" in name:
            raise BadRequest(f"{name}: in a filter, operators take the place of modifiers")
        if name in ("_id", "_lastUpdated"):
            return self.own(place, name, test)
        if name in ("_text", "_content", "_list") and test.operator in ("eq", "co"):
            return self.criterion(place, name, test.value)
        found = parameter(place, name)
        if test.operator == "pr":
            return self.present(place, found, test)
        kind = found.type
        if (kind, test.operator) in MODIFIERS:
            modifier = MODIFIERS[kind, test.operator]
            return self.criterion(place, name + modifier, _text(kind, test))
        if kind in ORDERED and test.operator in PREFIXES:
            return self.criterion(place, name, test.operator + _text(kind, test))
        return anyone(name, _compared(place, found, test))

    def own(self, place: Place, name: str, test: Test) -> Node:
        """Read a test of what every record has without saying it."""
        if test.operator == "pr":
            return self.criterion(place, f"{name}:missing", _negated(test))
        if name == "_id" and test.operator in ("eq", "ne"):
            modifier = ":not" if test.operator == "ne" else ""
            return self.criterion(place, name + modifier, test.value)
        if name == "_lastUpdated" and test.operator in PREFIXES:
            return self.criterion(place, name, test.operator + test.value)
        allowed = "eq ne pr" if name == "_id" else " ".join((*PREFIXES, "pr"))
        raise BadRequest(f"{name}: the operator {test.operator} does not go with it; {allowed} do")

    def present(self, place: Place, found: SearchParameter, test: Test) -> Node:
        if found.type != "composite":
            return self.criterion(place, f"{found.code}:missing", _negated(test))
        there = Together(found.code, tuple(() for _ in found.components))
        return Not(there) if _negated(test) == "true" else there


def filtered(place: Place, text: str, criterion: Criterion) -> Node:
    """Return the predicate of `_filter=text`; `criterion` reads the other parameters.

    Raises `FilterError`, a 400, where it cannot be read, `NotSupported` as `criterion` does.
    """
    return _Reading(criterion).node(place, filter.read(text))


def _negated(test: Test) -> str:
    if test.value not in ("true", "false"):
        raise BadRequest(f"pr {test.value}: expected true or false")
    return "false" if test.value == "true" else "true"


def _text(kind: str, test: Test) -> str:
    """Return the value as ordinary search writes it: one value, where a comma is a comma."""
    if kind in ("string", "uri", "reference") or test.operator in ("in", "ni"):
        return escape(test.value)
    if kind in ("composite", "special"):
        return test.value
    return _namespaced(kind, test.value).replace(",", "\\,").replace("$", "\\$")


def _namespaced(kind: str, value: str) -> str:
    head, bar, rest = value.partition("|")
    if kind == "token" and bar and head in NAMESPACES:
        return f"{NAMESPACES[head]}|{rest}"
    system, bar, code = rest.partition("|")
    if kind == "quantity" and bar and system in NAMESPACES:
        return f"{head}|{NAMESPACES[system]}|{code}"
    return value


def _compared(place: Place, found: SearchParameter, test: Test) -> Alternatives:
    """Return what an operator demands of an entry, where no other parameter says the same."""
    compare = operators.COMPARED.get((found.type, test.operator))
    if compare is None:
        allowed = sorted(
            {of for kind, of in (*MODIFIERS, *operators.COMPARED) if kind == found.type}
            | ({*PREFIXES} if found.type in ORDERED else set())
            | {"pr"}
        )
        raise BadRequest(
            f"{found.code} is a {found.type} parameter: the operator {test.operator} does not go "
            f"with it; {' '.join(allowed)} do"
        )
    try:
        return compare(_namespaced(found.type, test.value), place.terms)
    except ValueError as fault:
        raise BadRequest(
            f"{found.code} {test.operator} {test.value}: cannot be read; expected {fault}"
        ) from None


# Composites: what is said of one place.


@dataclass(frozen=True, slots=True)
class _Composite:
    """A composite, and the names that a filter has for its parts."""

    parameter: SearchParameter
    names: dict[str, str]

    def place_of(self, name: str) -> int:
        codes = [code for code, _ in self.parameter.components]
        code = self.names.get(name, name)
        if code not in codes:
            raise BadRequest(
                f"{self.parameter.code} has no part {name!r}; it has {', '.join(codes)}"
            )
        return codes.index(code)


def _composite(place: Place, step: Step) -> _Composite | None:
    alias = COMPOSITES.get((place.type, step.name)) if step.filter is not None else None
    code, names = alias or (step.name, {})
    found = place.definitions.search_parameters(place.type).get(code)
    return _Composite(found, names) if found is not None and found.type == "composite" else None


def _tests(first: Step, rest: Sequence[Step], test: Test) -> Iterator[Test]:
    """Yield the tests of the parts of one place: those in brackets, and the one behind them."""
    todo: list[Filter] = [] if first.filter is None else [first.filter]
    while todo:
        match todo.pop():
            case Test() as inside:
                yield inside
            case Joined("and", parts):
                todo += parts
            case _:
                raise BadRequest(f"{first.name}[…]: the parts of one place are joined by and alone")
    yield Test(tuple(rest), test.operator, test.value, test.column)


def _together(place: Place, composite: _Composite, tests: Iterable[Test]) -> Node:
    code = composite.parameter.code
    parts = [parameter(place, each) for each, _ in composite.parameter.components]
    demanded = [_any(part) for part in parts]
    for test in tests:
        if len(test.path) != 1:
            raise BadRequest(f"{code}[…]: a part has no further path")
        at = composite.place_of(test.path[0].name)
        demanded[at] = _also(demanded[at], _part(place, parts[at], test))
    return together(code, demanded)


def _any(part: SearchParameter) -> Component:
    return ANYTHING, ANYTHING if part.type == "quantity" else None


def _also(one: Component, other: Component) -> Component:
    """Return that one entry satisfies both."""
    counted = None if one[1] is None or other[1] is None else _meeting(one[1], other[1])
    return _meeting(one[0], other[0]), counted


def _meeting(one: Alternatives, other: Alternatives) -> Alternatives:
    return tuple(left + right for left in one for right in other)


def _part(place: Place, found: SearchParameter, test: Test) -> Component:
    if test.operator == "pr" and _negated(test) == "false":
        return _any(found)
    asked = Asked(place.definitions, place.terms, place.type, found)
    if found.type in ORDERED and test.operator in PREFIXES:
        return component(asked, test.operator + _text(found.type, test))
    if MODIFIERS.get((found.type, test.operator)) == "":
        return component(asked, _text(found.type, test))
    return _compared(place, found, test), _any(found)[1]
