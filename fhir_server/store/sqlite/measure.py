"""What a record is measured by, in SQL: the outcome of `search.measure`, and what is near.

`metres` is a function of ours, which each connection knows (`schema.connect`).
"""

from collections.abc import Sequence

from fhir_server.search.measure import BEST, STRETCH
from fhir_server.search.near import around
from fhir_server.search.tree import Near, Node, Words
from fhir_server.store.sqlite.condition import conditions
from fhir_server.store.sqlite.schema import BY_RECORD
from fhir_server.store.sqlite.statement import Statement
from fhir_server.store.sqlite.text import columns, place


def measured(s: Statement, type: str, by: Sequence[Node]) -> str:
    """Return the score, or the distance in metres, of the row `c`."""
    sought = [node for node in by if isinstance(node, Words)]
    if sought:
        total = " + ".join(_agreement(s, node) for node in sought)
        mean = (
            f"SELECT max(1, ({total}) / {len(sought)}) FROM text WHERE id = {place(s, type, 'c')}"
        )
        return f"coalesce(({mean}), 1)"
    nearest = [_nearest(s, type, node) for node in by if isinstance(node, Near)]
    return nearest[0] if len(nearest) == 1 else _least(nearest)


def reached(s: Statement, node: Near, alias: str) -> list[str]:
    """Return the conditions that an entry lies near."""
    away = f"metres({alias}.v, {alias}.w, {s.bind(node.latitude)}, {s.bind(node.longitude)})"
    return [*conditions(s, alias, around(node)), f"{away} <= {s.bind(node.metres)}"]


def _agreement(s: Statement, node: Words) -> str:
    text, parts = s.bind(node.sought), columns(node)
    stretch = f"(1 + ({' + '.join(f'length({part})' for part in parts)}) / {STRETCH})"
    mentions = (f"(length({part}) - length(replace({part}, {text}, '')))" for part in parts)
    mentioned = f"(({' + '.join(mentions)}) / length({text}))"
    return f"({BEST} - {BEST} * {stretch} / ({mentioned} + {stretch}))"


def _nearest(s: Statement, type: str, node: Near) -> str:
    away = f"metres(v, w, {s.bind(node.latitude)}, {s.bind(node.longitude)})"
    mine = f"rid = c.rid AND param = {s.param(type, node.param)}"
    return f"(SELECT min({away}) FROM entry {BY_RECORD} WHERE {mine})"


def _least(values: Sequence[str]) -> str:
    rows = " UNION ALL ".join(f"SELECT {value} AS metres" for value in values)
    return f"(SELECT min(metres) FROM ({rows}))"
