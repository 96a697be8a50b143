"""What of a record's entries a query returns, as projections."""

from typing import Any


def entries_of(*params: str) -> dict[str, Any]:
    """Return the entries of some parameters."""
    # The names stand as a literal: in an expression, text with a dollar would be a path.
    mine = {"$in": ["$$each.p", {"$literal": list(params)}]}
    return {"$filter": {"input": "$e", "as": "each", "cond": mine}}


def values_of(param: str) -> dict[str, Any]:
    """Return the values of the entries of a parameter."""
    return {"$map": {"input": entries_of(param), "as": "each", "in": "$$each.v"}}
