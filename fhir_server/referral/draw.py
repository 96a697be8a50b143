"""Draws the transition table into the documentation.

`python -m fhir_server.referral.draw docs/referral.md` brings the page up to date: what lies
between two marks is replaced. A test demands that nothing would change.
"""

import sys
from pathlib import Path

from fhir_server.referral.codes import BUSINESS_STATUSES
from fhir_server.referral.states import ABSENT, TABLE, Row

_HEAD = (
    "| TID | step | 步骤 | who | status | businessStatus | may write | reason | effects |",
    "|---|---|---|---|---|---|---|---|---|",
)


def table() -> str:
    """Return the transition table in Markdown."""
    return "\n".join((*_HEAD, *map(_line, TABLE)))


def _line(row: Row) -> str:
    before = ", ".join(row.before) + (f" (while {', '.join(row.during)})" if row.during else "")
    cells = (
        row.tid,
        f"`{row.name}`",
        row.chinese,
        row.actor,
        f"{before} → {row.after or 'the same'}",
        row.business or "as it is",
        ", ".join(row.writes) or "nothing",
        "yes" if row.reason else "",
        ", ".join(row.effects),
    )
    return f"| {' | '.join(cells)} |"


def diagram() -> str:
    """Return the states and steps as a Mermaid state diagram, without those that stay."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        for before in row.before:
            if row.after:
                arrows.setdefault((before, row.after), []).append(row.name)
    lines = [f"    {_node(a)} --> {_node(b)}: {', '.join(n)}" for (a, b), n in arrows.items()]
    return "\n".join(("```mermaid", "stateDiagram-v2", *lines, "```"))


def _node(status: str) -> str:
    return "[*]" if status == ABSENT else status.replace("-", "_")


def business_statuses() -> str:
    """Return the businessStatus codes in Markdown."""
    lines = (
        f"| {s.code} | {s.display} | {s.chinese} | {s.bser} |" for s in BUSINESS_STATUSES.values()
    )
    return "\n".join(("| code | | 含义 | BSeR |", "|---|---|---|---|", *lines))


DRAWINGS = {"table": table, "diagram": diagram, "business": business_statuses}


def fill(text: str) -> str:
    """Return `text` with each drawing between its marks made new. Raises ValueError."""
    for name, make in DRAWINGS.items():
        start, end = f"<!-- drawn: {name} -->\n", f"\n<!-- end: {name} -->"
        if start not in text or end not in text:
            raise ValueError(f"The marks of '{name}' are missing")
        head, rest = text.split(start, 1)
        text = head + start + make() + end + rest.split(end, 1)[1]
    return text


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")
