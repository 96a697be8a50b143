"""An order that no index has, as stages of a pipeline: keys are computed, and sorted by."""

from collections.abc import Sequence

from fhir_server.model import Query, Sort, Value
from fhir_server.store import order
from fhir_server.store.mongo.condition import NEVER, Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.logic import both, either
from fhir_server.store.mongo.measure import measured

_LOWEST_NUMBER = float("-inf")


def stages(
    query: Query, names: Sequence[str | None], where: Filter, within: Filter, limit: int
) -> list[Doc]:
    """Return what finds the records of a filter in the order of the query, keys as `k0`, `k1` ….

    `names` are the fields that keep a key, None where it is computed. `within` are comparisons that
    the first one satisfies; `limit` 0 is none.
    """
    sorts, back = query.sort, query.back
    up = sorts[0].descending == back
    sign = 1 if up else -1
    keys: Doc = {}
    wanted: Doc = {}
    for n, (sort, name) in enumerate(zip(sorts, names, strict=True)):
        keys[f"k{n}"] = {"$ifNull": [f"${name}" if name else _value(sort), None]}
        wanted |= {f"none{n}": -1 if back else 1, f"k{n}": -1 if sort.descending != back else 1}
    nones = {f"none{n}": {"$eq": [f"$k{n}", None]} for n in range(len(sorts))}
    found: list[Doc] = [{"$match": where}, {"$set": keys}]
    found += [{"$match": {"k0": within}}] if within else []
    found += [{"$match": _later(query, query.after, up)}] if query.after is not None else []
    found += [{"$set": nones}, {"$sort": {**wanted, "pid": sign, "n": sign}}]
    return [*found, {"$limit": limit}] if limit else found


def behind(pid: Value | None, n: Value | None, *, up: bool) -> list[Filter]:
    more = "$gt" if up else "$lt"
    return [{"pid": {"$eq": pid}, "n": {more: n}}, {"pid": {more: pid}}]


def beyond(field: str, value: Value, *, up: bool) -> list[Filter]:
    """Return what lies beyond a value, in order: MongoDB compares within one kind alone."""
    text = isinstance(value, str)
    if up:
        return [{field: {"$gt": value}}, *([] if text else [{field: {"$gte": ""}}])]
    return [{field: {"$lt": value}}, *([{field: {"$gte": _LOWEST_NUMBER}}] if text else [])]


def _later(query: Query, after: order.Place, up: bool) -> Filter:
    """Return the condition that a computed place comes after `after`."""
    *values, pid, n = after
    condition = either(behind(pid, n, up=up))
    for place, (sort, given) in reversed(list(enumerate(zip(query.sort, values, strict=True)))):
        field, farther = f"k{place}", NEVER
        value = f"{query.type}/{given}" if sort.param == "_id" else given
        if value is not None:
            some = beyond(field, value, up=sort.descending == query.back)
            farther = either([*some, *([] if query.back else [{field: {"$eq": None}}])])
        elif query.back:
            farther = {field: {"$ne": None}}
        condition = either([farther, both([{field: {"$eq": value}}, condition])])
    return condition


def _value(sort: Sort) -> Doc:
    """Return a record's value under a key; the parameter's name stands as text, never as a path."""
    if sort.by:
        return measured(sort.by)
    mine = {"$in": ["$$each.p", {"$literal": list(sort.params)}]}
    if sort.written:
        mine = {"$and": [mine, {"$gt": ["$$each.w", ""]}]}
    found = {"$filter": {"input": "$e", "as": "each", "cond": mine}}
    return {"$max" if sort.descending else "$min": {
        "$map": {"input": found, "as": "each", "in": "$$each.v"}
    }}  # fmt: skip
