"""Many alternatives, made quick to ask of one row of columns after the other.

1. What alternatives ask of the first column sorts them: by the value it has to be, by the interval
   or the box (`spans`) that it has to lie in, by the piece of text that it has to have in it
   (`pieces`). What they ask of the next columns is sorted so in turn.
2. So an alternative is met after a few looks, whether there are twenty or thousands; only what
   fits in none of this is asked one by one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from fhir_server.model import Value
from fhir_server.search.bounds import WHOLE, Interval, interval
from fhir_server.search.compare import TESTS
from fhir_server.search.pieces import Endings, Pieces
from fhir_server.search.spans import Box, Boxes, Spans, Union
from fhir_server.search.tree import Cond

Row = Sequence[Value]
Test = Callable[[Row], bool]
Choice = tuple[tuple[Cond, ...], ...]
"""What an alternative asks of each column of a row."""


def quick(choices: Iterable[Choice], columns: Sequence[int]) -> Test:
    """Return the test that a row satisfies one of the alternatives, asked in this order of columns.

    The last two are asked together: they may be a span. No comparison is with the time.
    """
    listed = list(choices)
    if any(not any(choice[column] for column in columns) for choice in listed):
        return _always
    tests: list[Test] = []
    if len(columns) == 2:
        listed, boxes = _boxed(listed, *columns)
        tests += [_Plane(columns[0], columns[1], boxes)] if boxes else []
    if listed:
        tests.append(_Level(listed, columns))
    return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)


def _always(row: Row) -> bool:
    return True


def _boxed(choices: Sequence[Choice], one: int, other: int) -> tuple[list[Choice], list[Box]]:
    """Return the choices that are no boxes, and the others as boxes."""
    rest: list[Choice] = []
    boxes: list[Box] = []
    for choice in choices:
        first, second = interval(choice[one]), interval(choice[other])
        if WHOLE in (first, second) or _is_point(choice[one]):
            rest.append(choice)
        elif first and second:
            boxes.append((first, second))
        else:
            rest.append(choice)
    return rest, boxes


def _is_point(conds: Iterable[Cond]) -> bool:
    return any(cond.op in ("=", "in") for cond in conds)


class _Plane:
    """Boxes of two columns."""

    def __init__(self, one: int, other: int, boxes: Sequence[Box]) -> None:
        self._one, self._other = one, other
        self._boxes = Boxes(boxes)

    def __call__(self, row: Row) -> bool:
        return self._boxes.has(row[self._one], row[self._other])


class _Level:
    """What alternatives ask of one column, each with the test of what they ask of those behind."""

    def __init__(self, choices: Sequence[Choice], columns: Sequence[int]) -> None:
        self._column, *behind = columns
        self._exact: dict[Value, list[Test]] = {}
        self._others: list[tuple[tuple[Cond, ...], Test]] = []
        self._pieces: dict[str, list[Test]] = {}
        self._endings: dict[str, list[Test]] = {}
        self._plain: list[Interval] = []
        self._spans: list[tuple[Interval, Test]] = []
        groups: dict[tuple[Cond, ...], list[Choice]] = {}
        for choice in choices:
            groups.setdefault(choice[self._column], []).append(choice)
        for conds, some in groups.items():
            self._put(conds, quick(some, behind) if behind else _always)
        self._union, self._at = Union(self._plain), Spans(self._spans)
        self._within, self._ends = Pieces(self._pieces), Endings(self._endings)

    def _put(self, conds: tuple[Cond, ...], test: Test) -> None:
        match conds:
            case (Cond(_, "=", (int() | float() | str()) as value),):
                self._exact.setdefault(value, []).append(test)
            case (Cond(_, "in", tuple() as values),):
                for value in values:
                    self._exact.setdefault(value, []).append(test)
            case (Cond(_, "contains", str() as piece),) if piece:
                self._pieces.setdefault(piece, []).append(test)
            case (Cond(_, "suffix", str() as piece),) if piece:
                self._endings.setdefault(piece, []).append(test)
            case _ if (span := interval(conds)) is None:
                self._others.append((conds, test))
            case _ if test is _always:
                self._plain.append(span)
            case _:
                self._spans.append((span, test))

    def __call__(self, row: Row) -> bool:
        value = row[self._column]
        return value in self._union or any(test(row) for test in self._met(value))

    def _met(self, value: Value) -> Iterator[Test]:
        """Yield the tests of the alternatives that the value satisfies."""
        yield from self._exact.get(value, ())
        yield from self._at.at(value)
        if isinstance(value, str):
            for tests in (*self._within.within(value), *self._ends.of(value)):
                yield from tests
        for conds, test in self._others:
            if all(TESTS[cond.op](value, cond.value) for cond in conds):
                yield test
