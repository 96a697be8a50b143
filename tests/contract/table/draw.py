"""The page of the search table, drawn from what passed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.contract.table.row import Row, Section

_HEAD = """# Search, as it is tested

Each line is a form of asking, with one of the requests that test it and their number. All of them
are asked over HTTP in a small world of each store: by a caller who may see everything, and by a
member of a hospital's staff among records of another institution that must not show. ✓ says that
every one of them was answered right. The page is made from the outcome of the tests, and a test
compares it with them.
"""
_NAMES = {"memory": "memory", "sqlite": "SQLite", "mongodb": "MongoDB"}

Passed = Mapping[tuple[str, str, str], bool]
"""(name of a row, store, caller) -> whether it was answered right."""


def drawn(
    sections: Sequence[Section], stores: Sequence[str], callers: Sequence[str], passed: Passed
) -> str:
    """Return the page."""
    kinds: dict[str, dict[str, list[tuple[str, Row]]]] = defaultdict(lambda: defaultdict(list))
    for section in sections:
        for place, row in enumerate(section.rows):
            kinds[row.kind][row.form].append((f"{section.name} {place}", row))
    columns = [_NAMES[each] for each in stores]
    lines = [_HEAD]
    for kind, forms in kinds.items():
        lines += [f"## {kind}", "", f"| form | asked, for one | tests | {' | '.join(columns)} |"]
        lines.append("|---" * (3 + len(columns)) + "|")
        for form, rows in forms.items():
            marks = []
            for store in stores:
                right = all(passed[name, store, by] for name, _ in rows for by in callers)
                marks.append("✓" if right else "✗")
            example = rows[0][1].text.replace("|", "\\|")
            told = form.replace("|", "\\|")
            lines.append(f"| {told} | `{example}` | {len(rows)} | {' | '.join(marks)} |")
        lines.append("")
    return "\n".join(lines)
