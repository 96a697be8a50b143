"""The grammar of `_filter`: text into tests joined by and, or, not.

https://hl7.org/fhir/R4/search_filter.html

    filter = test / "not" "(" filter ")" / "(" filter ")" / filter ("and" / "or") filter
    test   = path operator value
    path   = name, or name "." path, or name "[" filter "]" "." path
    value  = a JSON string, or anything without space, ")" and "]"

1. `and` and `or` bind alike, from left to right.
2. What cannot be read is a 400 that tells the column, from 1, and what was expected there.
3. Depth and number of tests are bounded: a filter may be hostile.
4. Beyond the grammar a name may carry a type, `subject:Patient.name`, and may be a reverse chain,
   `_has:Observation:patient:code`.
"""

import re
from dataclasses import dataclass
from typing import Literal

import msgspec

from fhir_server.errors import BadRequest

DEEPEST = 24
"""Brackets inside brackets."""
_MOST_LEVELS = 2 * DEEPEST
MOST_TESTS = 1000
OPERATORS = frozenset(
    [
        "eq",
        "ne",
        "co",
        "sw",
        "ew",
        "gt",
        "lt",
        "ge",
        "le",
        "ap",
        "sa",
        "eb",
        "pr",
        "po",
        "ss",
        "sb",
        "in",
        "ni",
        "re",
    ]
)

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][\w\-]*(?::[A-Za-z_][\w\-]*)*", re.ASCII)
_WORD = re.compile(r"[a-z]+(?![\w\-.:\[])", re.ASCII)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(r"[^\s)\]]+")


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path, and the filter on what it leads to."""

    name: str
    filter: "Filter | None" = None


@dataclass(frozen=True, slots=True)
class Test:
    """A path, an operator and a value; `column` is where the path starts."""

    path: tuple[Step, ...]
    operator: str
    value: str
    column: int


@dataclass(frozen=True, slots=True)
class Joined:
    """Filters of which all must hold, or one."""

    word: Literal["and", "or"]
    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """A filter that must not hold."""

    inner: "Filter"


Filter = Test | Joined | Negated


class FilterError(BadRequest):
    """A filter cannot be read; the message tells the column."""

    def __init__(self, column: int, problem: str) -> None:
        """Take the column, from 1, and what is wrong there."""
        super().__init__(f"_filter, column {column}: {problem}")


def read(text: str) -> Filter:
    """Return what a filter says; raises `FilterError` where it cannot be read.

    >>> read('name co "pet"')
    Test(path=(Step(name='name', filter=None),), operator='co', value='pet', column=1)
    """
    reader = _Reader(text)
    found = reader.filter(0)
    if reader.at < len(text):
        raise reader.error("expected and, or, or the end")
    if _levels(found) > _MOST_LEVELS:
        raise reader.error(f"and, or, not may be nested in {_MOST_LEVELS} levels")
    return found


def _levels(found: Filter) -> int:
    """Return how deep and, or, not are nested, which is deeper than brackets are: `a and b or c`
    are two levels of what stands first."""
    match found:
        case Joined(_, parts):
            return 1 + max(map(_levels, parts))
        case Negated(inner):
            return 1 + _levels(inner)
        case Test(path):
            return max((_levels(step.filter) for step in path if step.filter), default=0)


class _Reader:
    """A place in the text of a filter, moved on by what is read there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self._tests = 0
        self._skip_space()

    def filter(self, depth: int) -> Filter:
        """Read filters joined by words, from left to right."""
        if depth > DEEPEST:
            raise self.error(f"filters may be nested {DEEPEST} deep")
        found = self._operand(depth)
        parts, word, changes = [found], "", 0
        while (next_word := self._peek()) in ("and", "or"):
            self._take(next_word)
            if word and next_word != word:
                parts, changes = [_joined(word, parts)], changes + 1
                if depth + changes > DEEPEST:
                    raise self.error(f"and and or may alternate {DEEPEST} times; use brackets")
            word = next_word
            parts.append(self._operand(depth))
        return _joined(word, parts) if word else found

    def error(self, problem: str) -> FilterError:
        """Return the error of what stands here."""
        here = self._text[self.at : self.at + 20]
        return FilterError(self.at + 1, f"{problem}; found {here!r}" if here else problem)

    def _operand(self, depth: int) -> Filter:
        if self._peek() == "not":
            self._take("not")
            return Negated(self._bracketed("(", ")", depth))
        if self._text.startswith("(", self.at):
            return self._bracketed("(", ")", depth)
        return self._test(depth)

    def _bracketed(self, opening: str, closing: str, depth: int) -> Filter:
        self._take(opening)
        found = self.filter(depth + 1)
        self._take(closing)
        return found

    def _test(self, depth: int) -> Test:
        self._tests += 1
        if self._tests > MOST_TESTS:
            raise self.error(f"a filter may have {MOST_TESTS} tests")
        column = self.at + 1
        path = self._path(depth)
        operator = self._matched(_WORD, f"an operator, one of {' '.join(sorted(OPERATORS))}")
        if operator not in OPERATORS:
            self.at -= len(operator)
            raise self.error(f"expected an operator, one of {' '.join(sorted(OPERATORS))}")
        self._skip_space()
        value = self._value()
        self._skip_space()
        return Test(path, operator, value, column)

    def _path(self, depth: int) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            name = self._matched(_NAME, "the name of a search parameter")
            inside = None
            if self._text.startswith("[", self.at):
                inside = self._bracketed("[", "]", depth)
            steps.append(Step(name, inside))
            if len(steps) > DEEPEST:
                raise self.error(f"a path may have {DEEPEST} names")
            if not self._text.startswith(".", self.at):
                break
            self.at += 1
        if steps[-1].filter is not None:
            raise self.error("expected . and a name behind the filter in brackets")
        self._skip_space()
        return tuple(steps)

    def _value(self) -> str:
        if not self._text.startswith('"', self.at):
            return self._matched(
                _TOKEN, "a value: a string in double quotes, a number, date or token"
            )
        found = _STRING.match(self._text, self.at)
        try:
            value = msgspec.json.decode(found[0] if found else "", type=str)
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise self.error("expected a JSON string, closed by a double quote") from None
        self.at = found.end() if found else self.at
        return value

    def _matched(self, pattern: re.Pattern[str], expected: str) -> str:
        found = pattern.match(self._text, self.at)
        if found is None:
            raise self.error(f"expected {expected}")
        self.at = found.end()
        return found[0]

    def _peek(self) -> str:
        found = _WORD.match(self._text, self.at)
        return found[0] if found else ""

    def _take(self, mark: str) -> None:
        if not self._text.startswith(mark, self.at):
            raise self.error(f"expected {mark}")
        self.at += len(mark)
        self._skip_space()

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self.at)
        self.at = found.end() if found else self.at


def _joined(word: str, parts: list[Filter]) -> Filter:
    return Joined("and" if word == "and" else "or", tuple(parts))
