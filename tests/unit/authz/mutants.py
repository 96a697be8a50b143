"""A `restrict` that forgets one hop: what the two-worlds test must catch."""

from collections.abc import Callable

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import rewrite, visible
from fhir_server.search.tree import EVERYTHING, Node


def restrict_without(number: int) -> Callable[[Node, Caller], Node]:
    """Return a `restrict` that leaves the hop of this number open, counted from 0 as rewritten."""

    def mutant(node: Node, caller: Caller) -> Node:
        seen = -1

        def allowed(type: str) -> Node:
            nonlocal seen
            seen += 1
            return EVERYTHING if seen == number else visible(caller, type)

        return rewrite(node, allowed)

    return mutant
