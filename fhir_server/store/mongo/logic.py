"""How MongoDB filters are joined, and asked of an entry. Pure."""

from collections.abc import Iterable

from fhir_server.store.mongo.condition import ALWAYS, NEVER, Filter

ANY: Filter = {"v": {"$exists": True}}
"""What every entry satisfies, where a comparison has to stand."""


def both(parts: Iterable[Filter]) -> Filter:
    """Return the conjunction."""
    wanted: list[Filter] = []
    for part in parts:
        wanted += part["$and"] if part.keys() == {"$and"} else [part] if part != ALWAYS else []
    if NEVER in wanted:
        return NEVER
    if not wanted:
        return ALWAYS
    return wanted[0] if len(wanted) == 1 else {"$and": wanted}


def either(parts: Iterable[Filter]) -> Filter:
    """Return the disjunction."""
    wanted = [part for part in parts if part != NEVER]
    if ALWAYS in wanted:
        return ALWAYS
    if not wanted:
        return NEVER
    return wanted[0] if len(wanted) == 1 else {"$or": wanted}


def negated(part: Filter) -> Filter:
    """Return the negation."""
    if part == ALWAYS:
        return NEVER
    return ALWAYS if part == NEVER else {"$nor": [part]}


def hidden(part: Filter) -> Filter:
    """Return the same filter, in which the server looks for no index."""
    return {"$nor": [{"$nor": [part]}]}


def entry(param: str, conds: Filter) -> Filter:
    """Return that some one entry of `param` satisfies the comparisons."""
    whole, part = part_of(param)
    if part:
        return {"c": {"$elemMatch": {"p": whole, part: {"$elemMatch": conds or ANY}}}}
    return {"e": {"$elemMatch": {"p": param, **conds}}}


def part_of(param: str) -> tuple[str, str]:
    """Return a composite and the name under which one of its parts is kept; `''` for no part.

    >>> part_of("code-value.1"), part_of("code")
    (('code-value', 'b'), ('code', ''))
    """
    whole, dot, place = param.rpartition(".")
    return (whole, chr(ord("a") + int(place))) if dot and place.isdecimal() else (param, "")
