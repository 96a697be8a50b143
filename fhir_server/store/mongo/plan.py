"""Which index leads to the records that satisfy a filter: decided here, and told to the server.

The server lets only the first array condition that it meets lead an index, and cannot guess how
many records a value has. So:

1. A condition that some index answers is a *driver*. One that is known to be few leads, as does a
   value of a parameter of which each value has few (SELECTIVE); so does the only one, if it keeps
   the default order.
2. Of several, or where another order is wanted, each is counted up to `Reader.few`: the first that
   is few leads, everything else is asked of its records, and they are sorted. What was counted
   lately is not counted again; nor is the last one that keeps the default order where all others
   are many.
3. Where all are many, an equality leads if the default order is wanted, since its index is in that
   order; under another order the server chooses between that equality and the index of the order.
4. Array conditions that do not lead are hidden from the server's planner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fhir_server.store.explanation import PATIENTS, Step
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.logic import both, hidden
from fhir_server.store.mongo.reader import Reader

DEFAULT = "type"
"""The index that is in the default order and holds nothing else."""
_MANY = 2**62
"""Known to be many, whatever the number."""
_COUNTED = 16
"""What so many patients have is counted; of more it is taken for many."""
_MUCH = 4000
_MERGEABLE = frozenset({"value", "composite", "patients", "words"})
_MERGED = 50
"""The server merges so many stretches of an index into the default order."""
SELECTIVE = frozenset({"identifier", "patient", "subject", "encounter", "resource"})
"""Parameters of which a value leads to few records: to count them first costs more than it saves.

Where it does lead to thousands, they are sorted, which takes milliseconds.
"""


@dataclass(frozen=True, slots=True)
class Driver:
    """A condition that the index of this name answers (None: several indexes together); `keeps`
    the default order, or not.

    It `is_few` if it is known to let so few records through that they can be sorted.
    """

    condition: Filter
    index: str | None
    keeps: bool
    known: int | None = None
    is_few: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A filter as the server is to see it, and the index that leads (None: it chooses)."""

    where: Filter
    hint: str | None = None
    lead: Driver | None = None


async def planned(r: Reader, type: str, where: Filter, order: str | None, base: Filter) -> Plan:
    """Return the plan for a filter on records of a type.

    `order` is the index that the wanted order is along (None: no order, or a computed one). `base`
    is a part of the filter that is known to let few through; ALWAYS if none is.
    """
    if (lead := _driver(base)) is not None:
        return _led(where, lead)
    found = [_recalled(r, type, driver) for driver in drivers(where)]
    few = next((driver for driver in found if driver.is_few), None)
    if few is not None:
        return _led(where, await _told(r, type, few) if r.wants == "words" else few)
    plain = order in (None, DEFAULT)
    fresh = [driver for driver in found if driver.known is None]
    kept = next((driver for driver in (*fresh, *found) if driver.keeps), None)
    if plain and kept is not None and fresh in ([], [kept]):
        return _led(where, kept)
    few = await _few(r, type, fresh)
    if few is not None:
        return _led(where, few)
    if plain:
        lead = kept or next(iter(found if order is None else ()), None)
        return Plan(where, DEFAULT) if lead is None else _led(where, lead)
    return Plan(_hiding(where, kept.condition)) if kept else Plan(_hiding(where, None), order)


def _recalled(r: Reader, type: str, driver: Driver) -> Driver:
    """Return a driver with what is known of its number."""
    known = driver.known
    if known is None:
        known = r.counts.get(type, str(driver.condition))
    if known is None:
        return replace(driver, is_few=driver.is_few and r.few > 0)
    return replace(driver, known=known if known < r.few else _MANY, is_few=known < r.few)


async def _few(r: Reader, type: str, fresh: Sequence[Driver]) -> Driver | None:
    """Count conditions, until one lets few through."""
    for driver in fresh if r.few else ():
        number = await _number(r, type, driver)
        r.counts.keep(type, str(driver.condition), number)
        if number < r.few:
            return replace(driver, known=number, is_few=True)
    return None


async def _number(r: Reader, type: str, driver: Driver) -> int:
    where = both(({"t": {"$eq": type}}, driver.condition))
    return await r.count(where, driver.index, r.few)


async def _told(r: Reader, type: str, driver: Driver) -> Driver:
    if driver.known is not None:
        return driver
    number = await _number(r, type, driver)
    return replace(driver, known=number if number < r.few else None)


async def is_much(r: Reader, type: str, plan: Plan) -> bool:
    """Tell whether so many records are led to that to sort all of them takes long."""
    lead: Filter = plan.lead.condition if plan.lead else {}
    hint = plan.lead.index if plan.lead else DEFAULT
    if not r.few:
        return True
    number = r.counts.get(type, ("much", str(lead)))
    if number is None:
        number = await r.count(both(({"t": {"$eq": type}}, lead)), hint, _MUCH)
        r.counts.keep(type, ("much", str(lead)), number)
    return number >= _MUCH


def led_by(plan: Plan, condition: Filter) -> Plan:
    """Return the plan of a filter to which a condition is joined, which leads if it can."""
    if "e" not in condition:
        return replace(plan, where=both((plan.where, condition)))
    return Plan(both((_hiding(plan.where, None), condition)), "value")


def drivers(where: Filter) -> list[Driver]:
    """Return the drivers of a filter, those first of which little is to be expected."""
    found = [driver for part in _parts(where) if (driver := _driver(part)) is not None]
    return sorted(found, key=_hope)


def _hope(driver: Driver) -> tuple[int, bool, bool]:
    known = 1 if driver.known is None else 2 if driver.known == _MANY else 0
    return known, not driver.keeps, "$or" in driver.condition


def _parts(where: Filter) -> Sequence[Filter]:
    parts: Sequence[Filter] = where["$and"] if where.keys() == {"$and"} else (where,)
    return parts


def _driver(part: Filter) -> Driver | None:  # noqa: PLR0911 one a form
    match part:
        case {"_id": {"$in": [*ids]}}:
            return Driver(part, "_id_", keeps=False, known=len(ids))
        case {"e": {"$elemMatch": conds}}:
            return _of_entries(part, conds)
        case {"c": {"$elemMatch": conds}}:
            return Driver(part, "composite", keeps=_is_merged(conds.get("a.v", {})))
        case {"pids": condition}:
            return Driver(part, "patients", keeps="$eq" in condition, is_few="$eq" in condition)
        case {"words": condition}:
            return Driver(part, "words", keeps="$eq" in condition)
        case {"pid": {"$in": some}}:
            known = None if len(some) <= _COUNTED else _MANY
            return Driver(part, DEFAULT, keeps=True, known=known)
        case {"at": _}:
            return Driver(part, "updated", keeps=False)
        case {"$or": [*choices]}:
            return _of_choices(part, [_driver(each) for each in choices])
    return None


def _of_entries(part: Filter, conds: Filter) -> Driver | None:
    match conds:
        case {"p": param, "v": {"$eq": _}}:
            return Driver(part, "value", keeps=True, is_few=param in SELECTIVE)
        case {"v": {"$regex": _}}:
            return None
        case {"p": _, "v": _}:
            return Driver(part, "value", keeps=False)
        case {"p": _} if len(conds) == 1:
            return Driver(part, "value", keeps=False)
    return None


def _is_merged(condition: Filter) -> bool:
    """Tell whether the index of composites comes to these values in the default order."""
    return "$eq" in condition or 0 < len(condition.get("$in", ())) <= _MERGED


def _of_choices(part: Filter, choices: Sequence[Driver | None]) -> Driver | None:
    """Return the driver of alternatives that indexes answer; the server merges their walks."""
    found = [each for each in choices if each is not None and each.index in _MERGEABLE]
    if len(found) < len(choices):
        return None
    indexes = {each.index for each in found}
    keeps = all(each.keeps for each in found)
    if len(indexes) > 1 and not keeps:
        return None
    index = indexes.pop() if len(indexes) == 1 else None
    return Driver(part, index, keeps, is_few=all(each.is_few for each in found))


def step(type: str, order: str | None, plan: Plan) -> Step:
    """Return what an administrator is told of a plan."""
    if plan.lead is not None:
        known = None if plan.lead.known == _MANY else plan.lead.known
        return Step("leads", type, _about(plan.lead.condition), known)
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


def _led(where: Filter, driver: Driver) -> Plan:
    return Plan(_hiding(where, driver.condition), driver.index, driver)


def _hiding(where: Filter, lead: Filter | None) -> Filter:
    """Return the same filter, whose array conditions but one stand where no index is looked for."""
    return both(
        part if part is lead or not _is_of_arrays(part) else hidden(part) for part in _parts(where)
    )


def _is_of_arrays(part: Filter) -> bool:
    """Tell whether the server would look for an index of an array; alternatives of which one is
    about patients have bounds in the index that leads."""
    if "$or" in part:
        return not any("pid" in each for each in part["$or"])
    return bool(part.keys() & {"e", "c", "words"})
