"""Put the caller's predicate on every hop of a query: hidden records never change an answer."""

from collections.abc import Callable
from dataclasses import replace

from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Deny, decide
from fhir_server.search.tree import NOTHING, And, Chain, Has, Node, Not, Or, both


def visible(caller: Caller, type: str) -> Node:
    """Return what holds of the records of `type` that the caller may search."""
    decision = decide(caller, type, "search")
    return NOTHING if isinstance(decision, Deny) else decision.where


def restrict(node: Node, caller: Caller) -> Node:
    """Return `node` with the read predicate of the target type on every chain and `_has` inside.

    The predicate of the type that is searched is not among them: it is joined by `both`.
    """
    return rewrite(node, lambda type: visible(caller, type))


def rewrite(node: Node, allowed: Callable[[str], Node]) -> Node:
    """Return `node` with `allowed` of the target type joined to every hop, outermost first."""
    match node:
        case And(nodes):
            return And(tuple(rewrite(each, allowed) for each in nodes))
        case Or(nodes):
            return Or(tuple(rewrite(each, allowed) for each in nodes))
        case Not(inner):
            return Not(rewrite(inner, allowed))
        case Chain() | Has():
            here = allowed(node.type)
            return replace(node, where=both(here, rewrite(node.where, allowed)))
        case _:
            return node
