"""Draw what the tables and `decide` together let each kind of caller do: docs/authorization.md."""

from collections.abc import Iterator
from dataclasses import replace

from fhir_server.authz import tables
from fhir_server.authz.caller import Caller, Kind
from fhir_server.authz.decide import Deny, Verb, decide
from fhir_server.authz.grant import Clause, Rule
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.search.tree import (
    EVERYTHING,
    And,
    ForEachPatient,
    Has,
    Match,
    Node,
    OnlyPatients,
    Or,
)

WRITES: tuple[Verb, ...] = ("create", "update", "delete")
LEVELS: dict[Kind, str] = {"patient": "patient", "feed": "system", "operator": "system"}
NEVER = "–"


def callers() -> dict[str, Caller]:
    """Return one caller of each kind, and of each duty among staff, with all scopes of its
    level."""
    place = frozenset(("clinic",))
    rule = Rule("clinic", "TREAT", (Clause(),))
    staff = Caller("staff", "staff", organization="clinic", organizations=place, rules=(rule,))
    found = {duty: replace(staff, duty=duty) for duty in tables.DUTY_READS}
    found["staff of no duty"] = staff
    found["patient"] = Caller("patient", "patient", patient="me")
    found["feed"] = Caller("feed", "feed", organization="clinic", organizations=place)
    for kind in ("auditor", "admin", "operator"):
        found[kind] = Caller(kind, kind)
    return {
        name: replace(each, scopes=(Scope(LEVELS.get(each.kind, "user"), "*", VERBS),))
        for name, each in found.items()
    }


def reads(caller: Caller, type: str) -> str:
    """Return in words which records of a type a caller reads."""
    decision = decide(caller, type, "read")
    if isinstance(decision, Deny):
        return NEVER
    return " + ".join(dict.fromkeys(_words(decision.where)))


def _words(node: Node) -> Iterator[str]:
    match node:
        case Or(nodes):
            for each in nodes:
                yield from _words(each)
        case And(nodes) if node != EVERYTHING:
            yield from _words(nodes[0])
        case And():
            yield "all"
        case OnlyPatients():
            yield "own record"
        case Match():
            yield "institution"
        case Has():
            yield "named"
        case ForEachPatient():
            yield "consented"
        case _:
            yield "impersonal"


def writes(caller: Caller, type: str) -> str:
    """Return the letters (c, u, d) of what a caller may write of a type."""
    allowed = (verb for verb in WRITES if not isinstance(decide(caller, type, verb), Deny))
    return "".join(verb[0] for verb in allowed)


def cell(caller: Caller, type: str) -> str:
    """Return what a caller may do with a type, as one cell of the table."""
    letters = writes(caller, type)
    return f"{reads(caller, type)} · {letters}" if letters else reads(caller, type)


def table() -> str:
    """Return the whole effect as Markdown: a section a caller, types with the same rights
    together."""
    lines: list[str] = []
    for name, caller in callers().items():
        lines += [f"### {name}", "", "| may | types |", "|---|---|"]
        rights: dict[str, list[str]] = {}
        for type in sorted(tables.GROUPS):
            rights.setdefault(cell(caller, type), []).append(type)
        lines += [f"| {right} | {' '.join(types)} |" for right, types in sorted(rights.items())]
        lines.append("")
    return "\n".join(lines)
