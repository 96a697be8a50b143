"""Which index leads to the records that satisfy a filter: decided here, and told to the server.

The server lets only the first array condition that it meets lead an index, and cannot guess how
many records a value has. So:

1. A condition that some index answers is a *driver*. One that is known to be few leads; so does the
   only one, if it keeps the default order.
2. Of several, or where another order is wanted, each is counted up to FEW: the first that is few
   leads, everything else is asked of its records, and they are sorted.
3. Where all are many, an equality leads if the default order is wanted, since its index is in that
   order; under another order the server chooses between that equality and the index of the order.
4. Array conditions that do not lead are hidden from the server's planner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_server.store.explanation import PATIENTS, Step
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.filter import both
from fhir_server.store.mongo.reader import Reader

FEW = 200
DEFAULT = "type"
"""The index that is in the default order and holds nothing else."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A condition that the index of this name answers; `keeps` the default order, or not."""

    condition: Filter
    index: str
    keeps: bool
    known: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A filter as the server is to see it, and the index that leads (None: it chooses)."""

    where: Filter
    hint: str | None = None
    lead: Driver | None = None


async def planned(r: Reader, where: Filter, order: str | None, base: Filter) -> Plan:
    """Return the plan for a filter.

    `order` is the index that the wanted order is along (None: no order, or a computed one). `base`
    is a part of the filter that is known to let few through; ALWAYS if none is.
    """
    if (lead := _driver(base)) is not None:
        return _led(where, lead)
    found = drivers(where)
    if not found:
        return Plan(where, order)
    kept = next((driver for driver in found if driver.keeps), None)
    plain = order in (None, DEFAULT)
    if plain and kept is not None and len(found) == 1:
        return _led(where, kept)
    few = await _few(r, where, found)
    if few is not None:
        return _led(where, few)
    if plain:
        lead = kept or (found[0] if order is None else None)
        return Plan(where, order) if lead is None else _led(where, lead)
    return Plan(_hiding(where, kept.condition if kept else None))


def drivers(where: Filter) -> list[Driver]:
    """Return the drivers of a filter, those first of which little is to be expected."""
    found = [driver for part in _parts(where) if (driver := _driver(part)) is not None]
    return sorted(found, key=_hope)


def _hope(driver: Driver) -> tuple[bool, bool, bool]:
    return driver.known is None, not driver.keeps, "$or" in driver.condition


def _parts(where: Filter) -> Sequence[Filter]:
    parts: Sequence[Filter] = where["$and"] if where.keys() == {"$and"} else (where,)
    return parts


def _driver(part: Filter) -> Driver | None:  # noqa: PLR0911 one a form
    match part:
        case {"_id": {"$in": [*ids]}}:
            return Driver(part, "_id_", keeps=False, known=len(ids))
        case {"e": {"$elemMatch": {"v": {"$eq": _}}}}:
            return Driver(part, "value", keeps=True)
        case {"c": {"$elemMatch": {"a.v": _}}}:
            return Driver(part, "composite", keeps=True)
        case {"pids": condition} | {"words": condition}:
            index = "patients" if "pids" in part else "words"
            return Driver(part, index, keeps="$eq" in condition)
        case {"e": {"$elemMatch": {"v": {"$regex": _}}}}:
            return None
        case {"e": {"$elemMatch": {"v": _}}}:
            return Driver(part, "value", keeps=False)
        case {"pid": {"$in": _}}:
            return Driver(part, DEFAULT, keeps=True)
        case {"at": _} | {"c": _}:
            return Driver(part, "updated" if "at" in part else "composite", keeps=False)
        case {"$or": [*choices]}:
            return _united(part, [_driver(each) for each in choices])
    return None


def _united(part: Filter, choices: Sequence[Driver | None]) -> Driver | None:
    """Return the driver of alternatives that one index answers; the server merges their walks."""
    indexes = {each.index if each else "" for each in choices}
    if len(indexes) != 1 or not indexes < {"value", "composite"}:
        return None
    return Driver(part, indexes.pop(), keeps=all(each and each.keeps for each in choices))


def step(type: str, order: str | None, plan: Plan) -> Step:
    """Return what an administrator is told of a plan."""
    if plan.lead is not None:
        return Step("leads", type, _about(plan.lead.condition), plan.lead.known)
    if order in (None, DEFAULT):
        return Step("walks", type)
    return Step("along", type, order)


def _about(condition: Filter) -> str:
    """Return the parameter that a driver is about."""
    match condition:
        case {"$or": [*choices]}:
            return ", ".join(map(_about, choices))
        case {"e": {"$elemMatch": {"p": param}}} | {"c": {"$elemMatch": {"p": param}}}:
            return str(param)
        case {"_id": _}:
            return "_id"
        case {"at": _}:
            return "_lastUpdated"
        case {"words": _}:
            return "_content"
        case _:
            return PATIENTS


async def _few(r: Reader, where: Filter, found: Sequence[Driver]) -> Driver | None:
    of_type = next((part for part in _parts(where) if "t" in part), {})
    most = min(FEW, r.many)
    for driver in found if most else ():
        number = driver.known
        if number is None:
            number = await r.some(both((of_type, driver.condition)), driver.index, most)
        if number < most:
            return replace(driver, known=number)
    return None


def _led(where: Filter, driver: Driver) -> Plan:
    return Plan(_hiding(where, driver.condition), driver.index, driver)


def _hiding(where: Filter, lead: Filter | None) -> Filter:
    """Return the same filter, whose array conditions but one stand where no index is looked for."""
    return both(
        part if part is lead or not part.keys() & {"e", "c", "words", "$or"} else _hidden(part)
        for part in _parts(where)
    )


def _hidden(part: Filter) -> dict[str, Any]:
    return {"$nor": [{"$nor": [part]}]}
