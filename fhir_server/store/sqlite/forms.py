"""Alternatives of comparisons, few of them: many are another node (`oneof`)."""

from collections.abc import Iterable, Sequence

from fhir_server.search.tree import Cond
from fhir_server.store.sqlite.condition import conditions
from fhir_server.store.sqlite.statement import Statement, joined

Choice = Sequence[tuple[str, Iterable[Cond]]]
"""Conditions on the entries of some aliases, all of which have to hold."""


def either(s: Statement, choices: Iterable[Choice]) -> str:
    """Return that one of the choices holds."""
    return joined(
        "OR",
        (
            joined("AND", (t for a, conds in choice for t in conditions(s, a, conds)), "1")
            for choice in choices
        ),
        "1",
    )
