"""Orders other than the default one, in SQL. `store.order` says what they are.

Few records are collected and sorted. Many are met in the order of an index, where one key is asked
for; only several keys over many records cost a sort of all of them.
"""

from collections.abc import Iterable, Sequence

from fhir_server.model import Query, Sort, Value
from fhir_server.search.tree import NOTHING, Node, both, missing, unwritten
from fhir_server.store.explanation import Step
from fhir_server.store.sqlite.find import find, some, walk
from fhir_server.store.sqlite.measure import measured
from fhir_server.store.sqlite.predicate import holds
from fhir_server.store.sqlite.schema import BY_RECORD, BY_VALUE
from fhir_server.store.sqlite.statement import NEVER, Statement


def values(s: Statement, type: str, sorts: Iterable[Sort]) -> list[str]:
    """Return what the row `c` is sorted by under each key."""
    return [_value(s, type, sort) for sort in sorts]


def _value(s: Statement, type: str, sort: Sort) -> str:
    if sort.by:
        return measured(s, type, sort.by)
    match sort.param:
        case "_id":
            return f"(SELECT substr(ref, {len(type) + 2}) FROM record WHERE rid = c.rid)"
        case "_lastUpdated":
            return "(SELECT updated FROM record WHERE rid = c.rid)"
        case _:
            pick = "max" if sort.descending else "min"
            mine = [f"rid = c.rid AND param IN ({_params(s, type, sort)})", *_counting(sort)]
            return f"(SELECT {pick}(v) FROM entry {BY_RECORD} WHERE {' AND '.join(mine)})"


def walked(s: Statement, query: Query) -> str:
    """Return the SELECT of places in the default order."""
    sql = walk(s, query.type, query.where, behind=query.after is not None, down=query.back)
    direction = _direction(down=query.back)
    return f"{sql} ORDER BY 1 {direction}, 2 {direction} LIMIT {s.wanted()}"


def collected(s: Statement, query: Query, most: int) -> str:
    """Return the SELECT of places in no order, `most` of them."""
    inner = some(s, query.type, query.where, most)
    columns = ",".join((*values(s, query.type, query.sort), "c.patient", "c.rid"))
    return f"SELECT {columns} FROM ({inner}) c"


def sorted_all(s: Statement, query: Query) -> str:
    """Return the SELECT of places that finds all that match and sorts them."""
    s.tell(Step("sorts", query.type, ", ".join(sort.param for sort in query.sort)))
    inner = find(s, query.type, query.where)
    columns = [f"{v} AS k{n}" for n, v in enumerate(values(s, query.type, query.sort))]
    columns += ["c.patient AS patient", "c.rid AS rid"]
    behind = "1" if query.after is None else _behind(s, query, query.after)
    terms: list[str] = []
    for n, sort in enumerate(query.sort):
        terms.append(f"k{n} IS NULL {_direction(down=query.back)}")
        terms.append(f"k{n} {_direction(down=goes_down(query, sort))}")
    last = _direction(down=goes_down(query, *query.sort[:1]))
    terms += (f"patient {last}", f"rid {last}")
    return (
        f"SELECT * FROM (SELECT {','.join(columns)} FROM ({inner}) c) WHERE {behind} "
        f"ORDER BY {','.join(terms)} LIMIT {s.wanted()}"
    )


def valued(s: Statement, query: Query) -> str:
    """Return the SELECT of places of records that have a value, along the index of values."""
    sort, type = query.sort[0], query.type
    s.tell(Step("along", type, sort.param))
    down = goes_down(query, sort)
    selects: list[str] = []
    for value, source, tests, best in _walked(s, type, sort):
        if query.after is not None and query.after[0] is not None:
            before = f"{type}/" if sort.param == "_id" else ""
            place = f"({s.after(0, before)}, {s.after(1)}, {s.after(2)})"
            tests.append(f"({value}, c.patient, c.rid) {'<' if down else '>'} {place}")
        tests.extend((holds(s, query.where, type, "c"), *best))
        shown = f"substr(c.ref, {len(type) + 2})" if sort.param == "_id" else value
        columns = f"{shown}, c.patient, c.rid"
        selects.append(f"SELECT DISTINCT {columns} FROM {source} WHERE {' AND '.join(tests)}")
    # SQLite merges several walks by the numbers of their columns, and follows one by its own terms.
    keys = (value, "c.patient", "c.rid") if len(selects) == 1 else ("1", "2", "3")
    ordered = ",".join(f"{key} {_direction(down=down)}" for key in keys)
    return f"{' UNION '.join(selects)} ORDER BY {ordered} LIMIT {s.wanted()}"


def valueless(s: Statement, query: Query) -> str:
    """Return the SELECT of (patient, rid) of the records that have no value."""
    sort = query.sort[0]
    none = NOTHING if sort.param in ("_id", "_lastUpdated") else _none(sort)
    behind = query.after is not None and query.after[0] is None
    down = goes_down(query, sort)
    sql = walk(s, query.type, both(query.where, none), behind, down=down)
    direction = _direction(down=down)
    return f"{sql} ORDER BY 1 {direction}, 2 {direction} LIMIT {s.wanted()}"


def _walked(s: Statement, type: str, sort: Sort) -> Iterable[tuple[str, str, list[str], list[str]]]:
    """Yield columns that are walked along, each with its table, its conditions, and what is asked
    last: that the record has no better value."""
    match sort.param:
        case "_id":
            low, high = s.constant(f"{type}/"), s.constant(f"{type}0")
            tests = [f"c.ref > {low}", f"c.ref < {high}"]
            yield "c.ref", "record c", [*tests, "c.deleted = 0"], []
        case "_lastUpdated":
            tests = [f"c.kind = {s.kind(type)}", "c.deleted = 0"]
            yield "c.updated", "record c INDEXED BY record_updated", tests, []
        case _:
            better = f"o.v {'>' if sort.descending else '<'} c.v"
            mine = [f"o.rid = c.rid AND o.param IN ({_params(s, type, sort)})", better]
            tests_of = " AND ".join([*mine, *_counting(sort, "o.")])
            best = f"SELECT 1 FROM entry o {BY_RECORD} WHERE {tests_of}"
            for param in sort.params:
                tests = [f"c.param = {s.param(type, param)}", *_counting(sort, "c.")]
                yield "c.v", f"entry c {BY_VALUE}", tests, [f"NOT EXISTS ({best})"]


def _none(sort: Sort) -> Node:
    """Return the predicate that a record has no value under a key."""
    return both(*map(unwritten if sort.written else missing, sort.params))


def _counting(sort: Sort, row: str = "") -> list[str]:
    """Return what an entry has to meet to count."""
    return [f"{row}w > ''"] if sort.written else []


def _params(s: Statement, type: str, sort: Sort) -> str:
    return ",".join(s.param(type, param) for param in sort.params)


def _behind(s: Statement, query: Query, after: Sequence[Value | None]) -> str:
    """Return the condition that the walk meets a place beyond `after`."""
    *last, patient, rid = map(s.after, range(len(after)))
    more = "<" if goes_down(query, *query.sort[:1]) else ">"
    condition = f"(patient, rid) {more} ({patient}, {rid})"
    for n, sort in reversed(list(enumerate(query.sort))):
        if after[n] is None:
            beyond = f"k{n} IS NOT NULL" if query.back else NEVER
        else:
            beyond = f"k{n} {'<' if goes_down(query, sort) else '>'} {last[n]}"
            beyond = beyond if query.back else f"({beyond} OR k{n} IS NULL)"
        condition = f"({beyond} OR (k{n} IS {last[n]} AND {condition}))"
    return condition


def goes_down(query: Query, sort: Sort | None = None) -> bool:
    """Tell whether the walk goes down in the values of a key (None: in the default order)."""
    return (sort is not None and sort.descending) != query.back


def _direction(*, down: bool) -> str:
    return "DESC" if down else "ASC"
