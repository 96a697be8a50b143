"""How many records match, from a sample of all: cheap, however many there are."""

from fhir_server.search.tree import Node
from fhir_server.store.sqlite.predicate import holds
from fhir_server.store.sqlite.reach import FOR_FEW
from fhir_server.store.sqlite.statement import Statement

_SIZE = 2000
_STRIDE, _OTHER = 7919, 7907
"""Primes, so that what repeats in the records does not repeat in the sample; the second is for as
many records as are a multiple of the first."""


def counted(found: str) -> str:
    """Return the SELECT of how many rows another one finds."""
    return f"SELECT count(*) FROM ({found})"


def sampled(s: Statement, type: str, where: Node) -> str:
    """Return the SELECT of how many of a sample match, how many are in it, and of how many."""
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
        f"WHERE i < min({_SIZE}, (SELECT max(rid) FROM record)) - 1)"
    )
    stride = f"(CASE m.last % {_STRIDE} WHEN 0 THEN {_OTHER} ELSE {_STRIDE} END)"
    tests = (
        f"c.rid = 1 + (n.i * {stride} * ((m.last / ({_SIZE} * {_STRIDE})) + 1)) % m.last",
        f"c.kind = {s.kind(type)}",
        "c.deleted = 0",
        holds(s, where, type, "c", FOR_FEW),
    )
    last = "SELECT max(rid) AS last FROM record"
    hits = f"SELECT count(*) FROM ({last}) m CROSS JOIN n CROSS JOIN record c WHERE"
    return (
        f"SELECT * FROM ({numbers} SELECT ({hits} {' AND '.join(tests)}), "
        f"(SELECT count(*) FROM n), (SELECT coalesce(max(rid), 0) FROM record))"
    )
