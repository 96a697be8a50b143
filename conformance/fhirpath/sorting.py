"""Sorting. https://hl7.org/fhirpath/#sort (trial use)

1. Keys are compared in turn, each by the order of its values; an item without a value comes first.
2. `key desc` turns the whole order of a key around; `-key` only that of the values.
"""

from collections.abc import Callable
from functools import cmp_to_key
from typing import NamedTuple

from conformance.fhirpath.equality import order
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.nodes import Environment, Evaluator, Node, Nodes


class Key(NamedTuple):
    """What items are sorted by; `sign` is that of the tree: `desc`, `-`, or nothing."""

    run: Evaluator
    sign: str = ""

    def compare(self, left: Nodes, right: Nodes) -> int:
        """Negative, zero or positive; raises FHIRPathError for values that have no order."""
        if not left or not right:
            return (len(left) - len(right)) * (-1 if self.sign == "desc" else 1)
        found = order(left, right, "sort")
        if found is None:
            raise FHIRPathError(f"sort: {left[0][1]!r} and {right[0][1]!r} have no order")
        return -found if self.sign else found


Keyed = tuple[Node, list[Nodes]]


def sorting(base: Evaluator, keys: list[Key]) -> Evaluator:
    """`sort(key…)`: the items of a base in order; without a key, by their own values."""

    def run(env: Environment, this: Nodes) -> Nodes:
        keyed: list[Keyed] = [
            (node, [key.run(env, [node]) for key in keys]) for node in base(env, this)
        ]
        return [node for node, _ in sorted(keyed, key=cmp_to_key(_comparing(keys)))]

    return run


def _comparing(keys: list[Key]) -> Callable[[Keyed, Keyed], int]:
    def compare(left: Keyed, right: Keyed) -> int:
        for key, one, other in zip(keys, left[1], right[1], strict=True):
            if found := key.compare(one, other):
                return found
        return 0

    return compare
