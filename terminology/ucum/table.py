"""The table of UCUM: prefixes and units. https://ucum.org/ucum (2.2; see `NOTICE`)"""

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).parent / "units.tsv"


class Entry(NamedTuple):
    """A prefix, or a unit that is `value` times `unit`.

    `kind` is prefix, base, unit, arbitrary or special. A base unit and an arbitrary unit stand for
    themselves. A special unit is not a multiple of another one: its `function` gives the value in
    `unit`.
    """

    kind: str
    code: str
    name: str
    is_metric: bool
    value: Fraction
    unit: str
    function: str


@cache
def entries() -> dict[str, Entry]:
    """All units by code."""
    return {each.code: each for each in _rows() if each.kind != "prefix"}


@cache
def prefixes() -> dict[str, Entry]:
    """All prefixes by code; a prefix and a unit may share one, as milli and metre do."""
    return {each.code: each for each in _rows() if each.kind == "prefix"}


@cache
def _rows() -> tuple[Entry, ...]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(_entry(line.split("\t")) for line in lines)


def _entry(columns: list[str]) -> Entry:
    kind, code, name, metric, value, unit, function = columns
    return Entry(kind, code, name, metric == "metric", Fraction(value or 1), unit, function)
