"""Comparisons of an entry's columns as a MongoDB filter, with the outcome of `search.evaluate`.

MongoDB compares numbers with numbers and text with text, by code point: as the tree does. Values
stand behind an operator always, so that none is ever taken for one.
"""

from collections.abc import Iterable
from typing import Any

from fhir_server.errors import TooCostly
from fhir_server.search.prefix import end
from fhir_server.search.tree import Cond, Now
from fhir_server.store.mongo.pattern import LONGEST, literal

Filter = dict[str, Any]

NEVER: Filter = {"$alwaysFalse": 1}
ALWAYS: Filter = {}

_OPERATORS = {"=": "$eq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_INT64 = range(-(2**63), 2**63)


def columns(conds: Iterable[Cond], now: int, name: str = "") -> Filter:
    """Return the comparisons of all columns; with a `name`, all are of the field of that name."""
    fields: dict[str, Filter] = {}
    more: list[Filter] = []
    for cond in conds:
        field = name or cond.column
        for operator, operand in _compared(cond, now).items():
            there = fields.setdefault(field, {})
            if operator in there:
                more.append({field: {operator: operand}})
            else:
                there[operator] = operand
    return {**fields, **({"$and": more} if more else {})}


def _compared(cond: Cond, now: int) -> Filter:
    value = now if isinstance(cond.value, Now) else cond.value
    match cond.op:
        case "in":
            assert isinstance(value, tuple)
            return {"$in": [bounded(each) for each in value]}
        case "prefix":
            return begins(str(value))
        case "contains":
            return contains(str(value))
        case "suffix":
            return contains(str(value), r"\z")
        case op:
            return {_OPERATORS[op]: bounded(value)}


def bounded(value: Any) -> Any:
    """Return a value that BSON can hold: an integer beyond 64 bits becomes a float."""
    return float(value) if isinstance(value, int) and value not in _INT64 else value


def begins(text: str) -> Filter:
    """Return the comparison that text begins so."""
    last = end(text)
    return {"$gte": text} if last is None else {"$gte": text, "$lt": last}


def contains(text: str, end: str = "") -> Filter:
    """Return the comparison that text has this in it, followed by the pattern `end`.

    Raises TooCostly for what is too long.
    """
    if not text:
        return {"$gte": ""}
    pattern = literal(text) + end
    if len(pattern) > LONGEST:
        raise TooCostly("The text that is looked for is too long")
    return {"$regex": pattern}
