"""Joins with records that permit, taken apart: what differs from one to the next, and the rest.

A caller who has a thousand rules asks of each record whether a grant of rule 1 is about its
patients, or one of rule 2, and so on. All of that is told by the grants of the caller's
institutions, with the rule of each: they are one *family*.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_server.search.tree import (
    And,
    Cond,
    ForEachPatient,
    Has,
    Match,
    Node,
    Not,
    Now,
    Operator,
    Or,
)
from fhir_server.store.mongo.stamps import STAMPED

_WITH_TIME = frozenset(("<", "<=", ">", ">="))


@dataclass(frozen=True, slots=True)
class Family:
    """Records of `type` that have one of `values` for the stamped parameter `key` and satisfy
    `rest`.

    `timed` are comparisons of parameters with the time; `by` is the parameter that tells one join
    of the family from others (`''`: nothing does). A join is by their patients, or by what they
    refer to with `param`.
    """

    type: str
    key: str
    values: tuple[str, ...]
    rest: tuple[Node, ...]
    timed: tuple[tuple[str, Operator], ...]
    by: str
    param: str


def read(join: ForEachPatient | Has) -> tuple[Family, str] | None:
    """Return the family of a join and its value of `by`; None for a join of none."""
    stamped = STAMPED.get(join.type)
    if not stamped or (isinstance(join, Has) and join.canonical):
        return None
    values: tuple[str, ...] = ()
    key = by = value = ""
    timed: list[tuple[str, Operator]] = []
    rest: list[Node] = []
    for part in join.where.nodes if isinstance(join.where, And) else (join.where,):
        match part:
            case Match(param, (Cond("v", "=" | "in", found),)) if (
                param in stamped and not values and (texts := _texts(found))
            ):
                key, values = param, texts
            case Match(param, (Cond("v", "=", str() as found),)) if not by:
                by, value = param, found
            case Match(param, (Cond("v", op, Now()),)) if op in _WITH_TIME:
                timed.append((param, op))
            case _ if _is_timeless(part):
                rest.append(part)
            case _:
                return None
    param = join.param if isinstance(join, Has) else ""
    family = Family(join.type, key, values, tuple(rest), tuple(timed), by, param)
    return (family, value) if values else None


def _texts(found: object) -> tuple[str, ...]:
    values = found if isinstance(found, tuple) else (found,)
    return values if all(isinstance(each, str) for each in values) else ()


def _is_timeless(node: Node) -> bool:
    """Tell whether a predicate is about a record's entries alone, whatever the time."""
    match node:
        case And(nodes) | Or(nodes):
            return all(map(_is_timeless, nodes))
        case Not(inner):
            return _is_timeless(inner)
        case Match(_, conds):
            return not any(isinstance(cond.value, Now) for cond in conds)
        case _:
            return False


def timeless(family: Family) -> Iterator[Node]:
    """Yield what the records of a family satisfy at all times."""
    yield Match(family.key, (Cond("v", "in", family.values),))
    yield from family.rest
