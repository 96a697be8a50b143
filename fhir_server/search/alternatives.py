"""Conditions that a search text stands for: alternatives, each a few comparisons with one entry."""

from collections.abc import Iterable

from fhir_server.model import Value
from fhir_server.search.tree import Column, Cond, Match, Node, Operator, either

Conds = tuple[Cond, ...]
Alternatives = tuple[Conds, ...]

PREFIXES = frozenset(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))


def cond(column: Column, op: Operator, value: Value) -> Conds:
    """Return one comparison as a conjunction, to be added to others."""
    return (Cond(column, op, value),)


def prefixed(text: str) -> tuple[str, str]:
    """Split an ordered value from its prefix, `eq` where it has none.

    https://hl7.org/fhir/R4/search.html#prefix

    >>> prefixed("ge2020"), prefixed("2020")
    (('ge', '2020'), ('eq', '2020'))
    """
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)


def anyone(param: str, alternatives: Iterable[Conds]) -> Node:
    """Return the predicate that an entry of `param` satisfies one of the alternatives.

    Plain equalities that differ in `v` alone become one `in`, so that a list of thousands stays one
    node. The order of what remains is that of the request.
    """
    lists: dict[Conds, dict[Value, None]] = {}
    nodes: list[Node] = []
    for conds in alternatives:
        first, rest = conds[0], conds[1:]
        if first.column == "v" and first.op == "=":
            lists.setdefault(rest, {})[first.value] = None  # type: ignore[index]  # never a tuple or NOW
        else:
            nodes.append(Match(param, conds))
    merged = (Match(param, (_among(values), *rest)) for rest, values in lists.items())
    return either(*merged, *nodes)


def _among(values: Iterable[Value]) -> Cond:
    found = tuple(values)
    return Cond("v", "=", found[0]) if len(found) == 1 else Cond("v", "in", found)
