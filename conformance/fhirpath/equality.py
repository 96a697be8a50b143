"""Equality, equivalence and order of nodes and collections.

https://hl7.org/fhirpath/N1/#equality, https://hl7.org/fhirpath/N1/#comparison
"""

from decimal import Decimal
from typing import Any

from conformance.fhirpath import temporal
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.nodes import KIND, NUMBERS, TEMPORALS, Node, Nodes, kind, single
from conformance.fhirpath.quantity import Quantity, about, quantity_of, same_scale

FEW = 8  # nodes that are compared one with another, not by their hashes


def equal(left: Nodes, right: Nodes) -> bool | None:
    """`=`: the same items in order; None where either is empty or precision leaves it open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    results = [equal_nodes(one, other) for one, other in zip(left, right, strict=True)]
    if False in results:
        return False
    return None if None in results else True


def equal_nodes(left: Node, right: Node) -> bool | None:
    """Whether two nodes are equal; None where precision or units leave it open."""
    one, other = KIND.get(left[0], ""), KIND.get(right[0], "")
    if not one and not other:
        return left[0] == right[0] and bool(left[1] == right[1])
    if one in NUMBERS and other in NUMBERS:
        return bool(left[1] == right[1])
    if one in TEMPORALS or other in TEMPORALS:
        return _equal_times(left, right)
    if "Quantity" in (one, other) and {one, other} <= {"Quantity", *NUMBERS}:
        return _equal_quantities(left, right)
    return one == other and left[1] is not None and bool(left[1] == right[1])


def _equal_times(left: Node, right: Node) -> bool | None:
    pair = _times(left, right)
    if pair is None:
        return bool(kind(left) == kind(right) and left[1] == right[1])
    order = temporal.compare(*pair)
    return None if order is None else order == 0


def _times(left: Node, right: Node) -> tuple[temporal.Temporal, temporal.Temporal] | None:
    """Both as temporal values, where both are of the same sort."""
    kinds = kind(left), kind(right)
    if not set(kinds) <= set(TEMPORALS) or (kinds[0] == "Time") != (kinds[1] == "Time"):
        return None
    if not (isinstance(left[1], str) and isinstance(right[1], str)):
        return None
    one, other = temporal.parse(left[1]), temporal.parse(right[1])
    return (one, other) if one and other else None


def _equal_quantities(left: Node, right: Node) -> bool | None:
    if _have_one_unit(left, right):
        return bool(left[1].get("value") == right[1].get("value"))
    one, other = quantity_of(left), quantity_of(right)
    if one is None or other is None:
        return bool(left[1] == right[1])
    pair = same_scale(one, other)
    return None if pair is None else pair[0] == pair[1]


def _have_one_unit(left: Node, right: Node) -> bool:
    """Whether two FHIR quantities have one unit, in the same words."""
    if left[0] != right[0] or left[1].__class__ is not dict or right[1].__class__ is not dict:
        return False
    one, other = left[1].get, right[1].get
    return bool(
        one("code") == other("code")
        and one("system") == other("system")
        and one("unit") == other("unit")
        and one("currency") == other("currency")
    )


def equivalent(left: Nodes, right: Nodes) -> bool:
    """`~`: the same items in any order, strings without regard to case and white space."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for node in left:
        found = next((ix for ix, each in enumerate(rest) if equivalent_nodes(node, each)), None)
        if found is None:
            return False
        del rest[found]
    return True


def equivalent_nodes(left: Node, right: Node) -> bool:
    """Whether two nodes are equivalent; of codings and concepts FHIR says when.

    https://hl7.org/fhir/R4/fhirpath.html#changes
    """
    one, other = kind(left), kind(right)
    if one in NUMBERS and other in NUMBERS:
        return _alike(left[1], right[1], max(_step(left[1]), _step(right[1])))
    if "Quantity" in (one, other) and {one, other} <= {"Quantity", *NUMBERS}:
        return _equivalent_quantities(left, right)
    if one in TEMPORALS or other in TEMPORALS:
        return _equal_times(left, right) is True
    if one == other == "String":
        return bool(normalize(left[1]) == normalize(right[1]))
    if left[0] == right[0] == "Coding":
        return _coded(left[1]) == _coded(right[1])
    if left[0] == right[0] == "CodeableConcept":
        return not _codings(left[1]).isdisjoint(_codings(right[1]))
    return one == other and _equivalent_json(left[1], right[1])


def normalize(text: Any) -> Any:
    """A string as equivalence sees it."""
    return " ".join(text.split()).casefold() if isinstance(text, str) else text


def _coded(coding: dict[str, Any]) -> tuple[Any, Any]:
    return coding.get("system"), coding.get("code")


def _codings(concept: dict[str, Any]) -> set[tuple[Any, Any]]:
    codings = concept.get("coding")
    return {
        _coded(each)
        for each in (codings if isinstance(codings, list) else ())
        if isinstance(each, dict)
    }


def _step(value: int | Decimal) -> Decimal:
    """What the last digit of a number counts in, without regard to zeros after the point."""
    exponent = Decimal(value).normalize().as_tuple().exponent
    return Decimal(1).scaleb(min(int(exponent), 0))


def _alike(left: Any, right: Any, step: Decimal) -> bool:
    """Whether two numbers are equal when rounded to a step."""
    return round(Decimal(left) / step) == round(Decimal(right) / step)


def _equivalent_quantities(left: Node, right: Node) -> bool:
    """Equal in one unit, after rounding to the precision of the less precise one."""
    found = quantity_of(left), quantity_of(right)
    if found[0] is None or found[1] is None:
        return _equivalent_json(left[1], right[1])
    one, other = about(found[0]), about(found[1])
    pair = same_scale(one, other)
    zeros = same_scale(_at(one, 0), _at(other, 0))
    steps = same_scale(_at(one, _step(one.value)), _at(other, _step(other.value)))
    if not (pair and zeros and steps):
        return False
    return _alike(*pair, max(steps[0] - zeros[0], steps[1] - zeros[1]))


def _at(found: Quantity, value: int | Decimal) -> Quantity:
    return found._replace(value=Decimal(value))


def _equivalent_json(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        names = left.keys() - {"id"}
        return names == right.keys() - {"id"} and all(
            _equivalent_json(left[key], right[key]) for key in names
        )
    if isinstance(left, list) and isinstance(right, list):
        rest = list(right)
        for each in left:
            found = next((ix for ix, it in enumerate(rest) if _equivalent_json(each, it)), None)
            if found is None:
                return False
            del rest[found]
        return not rest
    return bool(normalize(left) == normalize(right))


def order(left: Nodes, right: Nodes, operator: str) -> int | None:
    """-1, 0 or 1 for two single values; None where empty or left open by precision or units.

    Raises FHIRPathError for several items and for kinds that have no order.
    """
    one, other = single(left, operator), single(right, operator)
    if one is None or other is None or one[1] is None or other[1] is None:
        return None
    kinds = (kind(one), kind(other))
    if kinds[0] in NUMBERS and kinds[1] in NUMBERS:
        return _sign(one[1], other[1])
    if kinds == ("String", "String"):
        return _sign(one[1], other[1])
    if set(kinds) <= set(TEMPORALS):
        if pair := _times(one, other):
            return temporal.compare(*pair)
    elif "Quantity" in kinds and set(kinds) <= {"Quantity", *NUMBERS}:
        first, second = quantity_of(one), quantity_of(other)
        scaled = same_scale(first, second) if first and second else None
        return None if scaled is None else _sign(*scaled)
    raise FHIRPathError(f"{operator}: {one[0]} and {other[0]} have no order")


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def contains(nodes: Nodes, node: Node) -> bool:
    """Whether a node equal to this one is among the nodes."""
    return any(equal_nodes(each, node) for each in nodes)


def distinct(nodes: Nodes) -> Nodes:
    """The nodes without repetition, in order."""
    if len(nodes) > FEW and all(kind(node) == "String" and node[1] is not None for node in nodes):
        return list({node[1]: node for node in reversed(nodes)}.values())[::-1]
    found: Nodes = []
    if len(nodes) > _FEW:
        bag = Bag()
        return [node for node in nodes if bag.add(node)]
    for node in nodes:
        if not contains(found, node):
            found.append(node)
    return found


_FEW = 8


class Bag:
    """Nodes among which an equal one is found without a look at all of them."""

    def __init__(self, nodes: Nodes = []) -> None:  # noqa: B006 - read only
        self._buckets: dict[Any, Nodes] = {}
        for node in nodes:
            self.add(node)

    def add(self, node: Node) -> bool:
        """Add a node and return True, unless an equal one is there already."""
        if node in self:
            return False
        self._buckets.setdefault(_bucket(node), []).append(node)
        return True

    def __contains__(self, node: Node) -> bool:
        own = _bucket(node)
        found = contains(self._buckets.get(own, []), node)
        if own == "Quantity":  # a quantity of unit 1 equals a number
            return found or contains(self._buckets.get(node[1].get("value"), []), node)
        return found or (
            kind(node) in NUMBERS and contains(self._buckets.get("Quantity", []), node)
        )


def _bucket(node: Node) -> Any:
    """What equal nodes have in common."""
    of, value = kind(node), node[1]
    if of == "Quantity" and isinstance(value, dict):
        return "Quantity"
    if of in TEMPORALS:
        return "Temporal"
    if isinstance(value, dict):
        texts = (each for each in value.items() if isinstance(each[1], str))
        return node[0], frozenset(texts)
    return (of, value) if of in ("String", "Boolean") else value
