"""What two commits must not both take for absent.

Two transactions of which each looks, finds nothing and inserts do not conflict by themselves
(write skew). So each touches the documents that stand for what it looked for, or wrote:

1. A write touches a claim for each identifying value that it carries, and one of the stripes of its
   type. Writes of different hosts take different stripes, so plain writes do not meet.
2. An `unless` that demands an identifying value touches the claims of that value alone, whatever
   else it demands: `identifier=s|v` and `identifier=v` meet.
3. Any other `unless` touches all stripes of its type, and so meets every write of it.

4. A write whose entries were made under a set of search parameters touches one of the stripes of
   `DEFINITIONS`; a write of that record touches all of them, and so meets every such write.

Of two that touch the same document the later one is told of a conflict, and starts again on what
the earlier one wrote. Claims that are an hour old are swept away.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from fhir_server.model import DEFINITIONS, Query, Value, Write
from fhir_server.search.tree import And, Match, Node, Or

IDENTIFYING = frozenset({"identifier", "url"})
"""Parameters whose values are claimed one by one."""

STRIPES = 16


def claims(commits: Iterable[Sequence[Write]], stripe: int) -> list[str]:
    """Return the names of all claims that these commits touch, sorted: none waits in a circle."""
    found: set[str] = set()
    for writes in commits:
        for write in writes:
            found.update(_of_write(write, stripe % STRIPES))
            found.update(_of_definitions(write, stripe % STRIPES))
            if write.unless is not None:
                found.update(_of_unless(write.unless))
    return sorted(found)


def _of_write(write: Write, stripe: int) -> Iterator[str]:
    type = write.key.type
    if write.body is not None:
        yield _stripe(type, stripe)
        for entry in write.entries:
            if entry.param in IDENTIFYING and not entry.path:
                yield _value(type, entry.param, entry.v)


def _of_definitions(write: Write, stripe: int) -> Iterable[str]:
    if write.key == DEFINITIONS:
        return [_stripe(str(DEFINITIONS), n) for n in range(STRIPES)]
    return () if write.under is None else (_stripe(str(DEFINITIONS), stripe),)


def _of_unless(query: Query) -> Iterable[str]:
    found = _demanded(query.type, query.where)
    return [_stripe(query.type, n) for n in range(STRIPES)] if found is None else found


def _demanded(type: str, node: Node) -> set[str] | None:
    """Return claims of which every record that satisfies the predicate has one; None: unknown."""
    match node:
        case Match(param, conds) if param in IDENTIFYING:
            for column, op, value in conds:
                if column == "v" and op == "=" and isinstance(value, int | float | str):
                    return {_value(type, param, value)}
                if column == "v" and op == "in" and isinstance(value, tuple):
                    return {_value(type, param, each) for each in value}
            return None
        case And(nodes):
            known = [found for n in nodes if (found := _demanded(type, n)) is not None]
            return min(known, key=len, default=None)
        case Or(nodes):
            each = [_demanded(type, n) for n in nodes]
            return None if None in each else {c for found in each if found for c in found}
        case _:
            return None


def _stripe(type: str, number: int) -> str:
    return f"{type}#{number}"


def _value(type: str, param: str, value: Value) -> str:
    same = value if isinstance(value, str) else float(value)  # 2 and 2.0 are one value
    plain = f"{type}\x1f{param}\x1f{same}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(plain, digest_size=15).hexdigest()
