"""What a record is measured by, as an aggregation expression: the outcome of `search.measure`."""

from collections.abc import Sequence
from typing import Any

from fhir_server.search.measure import BEST, STRETCH
from fhir_server.search.position import RADIUS
from fhir_server.search.tree import Near, Node, Words

_Expression = dict[str, Any]
_Number = float | _Expression


def measured(by: Sequence[Node]) -> _Expression:
    """Return the score, or the distance in metres."""
    sought = [node for node in by if isinstance(node, Words)]
    if sought:
        mean = _quotient({"$add": [_agreement(node) for node in sought]}, len(sought))
        return {"$toLong": {"$max": [1, mean]}}
    return {"$min": [nearest(node) for node in by if isinstance(node, Near)]}


def nearest(node: Near) -> _Expression:
    """Return how many metres a record's nearest entry is away; null for none."""
    return _nearest(node.param, node.latitude, node.longitude)


def near_one(param: str, places: Sequence[Near]) -> _Expression:
    """Return that a record, which has a position, is near one of the places."""
    listed = [[place.latitude, place.longitude, place.metres] for place in places]
    latitude, longitude, metres = ({"$arrayElemAt": ["$$place", n]} for n in range(3))
    near = {"$lte": [_nearest(param, latitude, longitude), metres]}
    return {"$anyElementTrue": {"$map": {"input": listed, "as": "place", "in": near}}}


def _nearest(param: str, latitude: _Number, longitude: _Number) -> _Expression:
    # The name stands as a literal: in an expression, text with a dollar would be a path.
    mine = {"$eq": ["$$each.p", {"$literal": param}]}
    found = {"$filter": {"input": {"$ifNull": ["$e", []]}, "as": "each", "cond": mine}}
    metres = _metres(latitude, longitude)
    return {"$min": {"$map": {"input": found, "as": "each", "in": metres}}}


def _metres(latitude: _Number, longitude: _Number) -> _Expression:
    half: _Expression = {"$add": [
        _squared_sine({"$subtract": [latitude, "$$each.v"]}),
        {"$multiply": [
            {"$cos": {"$degreesToRadians": "$$each.v"}},
            {"$cos": {"$degreesToRadians": latitude}},
            _squared_sine({"$subtract": [longitude, "$$each.w"]}),
        ]},
    ]}  # fmt: skip
    angle = {"$asin": {"$sqrt": {"$min": [1, half]}}}
    return {"$toLong": {"$floor": {"$multiply": [2 * RADIUS, angle]}}}


def _squared_sine(degrees: _Expression) -> _Expression:
    return {"$pow": [{"$sin": {"$divide": [{"$degreesToRadians": degrees}, 2]}}, 2]}


def _agreement(node: Words) -> _Expression:
    fields = ("$text.n",) if node.scope == "text" else ("$text.n", "$text.r")
    parts = [{"$ifNull": [field, ""]} for field in fields]
    length = {"$add": [{"$strLenCP": part} for part in parts]}
    stretch = {"$add": [1, _quotient(length, STRETCH)]}
    sought = {"$literal": node.sought}
    pieces = {"$add": [{"$size": {"$split": [part, sought]}} for part in parts]}
    mentions = {"$subtract": [pieces, len(parts)]}
    part = _quotient({"$multiply": [BEST, stretch]}, {"$add": [mentions, stretch]})
    return {"$subtract": [BEST, part]}


def _quotient(one: _Expression, other: _Expression | int) -> _Expression:
    return {"$floor": {"$divide": [one, other]}}
