"""A figure, and the table of the figures of one server or of two beside each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fhir_server.bench.load import Run
from fhir_server.bench.process import Cost


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: of which case, what it measures and in which unit."""

    case: str
    measure: str
    value: float
    unit: str = ""


Column = tuple[str, Sequence[Figure]]
"""A server's name and its figures."""


def rates(
    case: str, unit: str, run: Run, before: Cost | None, after: Cost | None
) -> Iterator[Figure]:
    """Yield what a load came to: units a second, CPU of the server for one, latencies, failures."""
    yield Figure(case, unit, run.units / run.seconds, "/s")
    if before and after and run.units:
        yield Figure(case, "CPU of the server", (after.cpu - before.cpu) / run.units * 1e6, "µs")
    yield Figure(case, "half answered in", run.quantile(0.5) * 1000, "ms")
    yield Figure(case, "99 % answered in", run.quantile(0.99) * 1000, "ms")
    yield Figure(case, "requests", run.statuses.total())
    yield Figure(case, "failed", run.failed)


def table(columns: Sequence[Column]) -> str:
    """Return a table: a line for each figure, a column for each server.

    >>> lines = table([("hub", [Figure("read", "requests", 3000.4)])]).splitlines()
    >>> [line.split() for line in lines]
    [['hub'], ['read', 'requests', '3,000']]
    """
    rows = dict.fromkeys((f.case, f.measure) for _, figures in columns for f in figures)
    values = [{(f.case, f.measure): f for f in figures} for _, figures in columns]
    lines = [" " * _LEFT + "   ".join(f"{name:>{_WIDTH}}   " for name, _ in columns).rstrip()]
    told = ""
    for case, measure in rows:
        cells = [_cell(found.get((case, measure))) for found in values]
        lines.append(
            f"{'' if case == told else case:<{_CASE}}{measure:<{_LEFT - _CASE}}{''.join(cells)}"
        )
        told = case
    return "\n".join(line.rstrip() for line in lines)


_CASE, _LEFT, _WIDTH = 30, 62, 12


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return f"{'-':>{_WIDTH}}      "
    digits = 0 if abs(figure.value) >= 100 or figure.value == int(figure.value) else 2
    return f"{figure.value:>{_WIDTH},.{digits}f} {figure.unit:<5}"
