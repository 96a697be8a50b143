"""Regular expressions that cannot be made to run for ever.

https://hl7.org/fhirpath/N1/#matchesregex-string--boolean

1. The dialect is Python's, in single-line mode; `(?<name>…)` names a group as well.
2. What an expression may cost on a text is estimated before it runs: for each repetition that
   others may divide differently, its length. Where that is little, Python's own engine runs.
3. Else, and wherever a repetition holds another one, an engine runs whose time grows with the text
   and the expression alone. It knows no look-around and no back-references.
4. That engine counts its steps. What still takes too many is an error, not an answer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined] # no public access to the tree
from re import _parser as parser  # type: ignore[attr-defined] # likewise
from typing import Any

from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.linear import Program, compile_linear

LONGEST = 2000  # characters of an expression
CHEAP = 20_000_000  # comparisons, of which Python's engine makes some hundred million a second

_GROUP_NAME = re.compile(r"\(\?<(?=[A-Za-z_])")
_REFERENCE = re.compile(r"\$(?:(\d+)|\{(\w+)\})")
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled expression; `linear` is absent where it uses what that engine does not know.

    `lengths` are the most that each repetition may take, or None where one holds another.
    """

    source: str
    native: re.Pattern[str]
    linear: Program | None
    lengths: tuple[int, ...] | None

    def is_in(self, text: str) -> bool:
        """Whether it matches somewhere in a text; raises FHIRPathError if too costly."""
        if self._is_cheap(text):
            return self.native.search(text) is not None
        return next(self._linear().matches(text), None) is not None

    def replace(self, text: str, replacement: str) -> str:
        """The text with its matches replaced; raises FHIRPathError if too costly."""
        if self._is_cheap(text):
            return self.native.sub(lambda found: self._expanded(replacement, found.group), text)
        parts, at = [], 0
        for groups in self._linear().matches(text):
            found = [text[slice(*span)] if span else "" for span in groups]
            start, end = groups[0] or (0, 0)
            parts += [text[at:start], self._expanded(replacement, self._reader(found))]
            at = end
        return "".join([*parts, text[at:]])

    def _reader(self, found: list[str]) -> Callable[[Any], str]:
        """Reads a group by its number or name."""
        numbers = self.native.groupindex
        return lambda key: found[numbers[key] if isinstance(key, str) else key]

    def _expanded(self, replacement: str, group: Callable[[Any], Any]) -> str:
        """A replacement with the groups that it refers to."""

        def referred(found: re.Match[str]) -> str:
            number, name = found.groups()
            try:
                return str(group(int(number) if number else name) or "")
            except (IndexError, KeyError):
                raise FHIRPathError(f"{found[0]!r} is not a group of {self.source!r}") from None

        return _REFERENCE.sub(referred, replacement)

    def _is_cheap(self, text: str) -> bool:
        if self.lengths is None:
            return False
        cost = len(text) + 1
        for length in self.lengths:
            cost *= min(length, len(text)) + 1
        return cost <= CHEAP

    def _linear(self) -> Program:
        if self.linear is None:
            raise FHIRPathError(f"the expression {self.source!r} may take too long")
        return self.linear


@lru_cache(maxsize=256)
def pattern(source: str) -> Pattern:
    """Compile an expression; raises FHIRPathError where it is none."""
    if len(source) > LONGEST:
        raise FHIRPathError(f"a regular expression has {LONGEST} characters at most")
    text = _GROUP_NAME.sub("(?P<", source)
    try:
        native = re.compile(text, re.DOTALL)
        tree = parser.parse(text, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise FHIRPathError(f"{source!r} is not a regular expression: {error}") from None
    lengths = repetitions(tree)
    return Pattern(source, native, compile_linear(tree, native.groups), lengths)


def repetitions(tree: Any) -> tuple[int, ...] | None:
    """The most that each repetition of a varying length takes; None where one holds another.

    >>> repetitions(parser.parse("a{2,5}b{3}")), repetitions(parser.parse("(a*)*"))
    ((3,), None)
    """
    found: tuple[int, ...] = ()
    for operator, argument in tree:
        if operator in _REPEATS:
            least, most, body = argument
            if not _is_fixed(body):
                return None
            found += (most - least,) if most > least else ()
            continue
        for part in _parts(operator, argument):
            inner = repetitions(part)
            if inner is None:
                return None
            found += inner
    return found


def _is_fixed(tree: Any) -> bool:
    """Whether a body matches in one way at most: no repetition, no choice, nothing looked up."""
    for operator, argument in tree:
        if operator is codes.SUBPATTERN:
            if not _is_fixed(argument[-1]):
                return False
        elif operator not in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN, codes.AT):
            return False
    return True


def _parts(operator: Any, argument: Any) -> list[Any]:
    """The trees within an operator."""
    if operator is codes.BRANCH:
        return list(argument[1])
    if operator in (codes.SUBPATTERN, codes.ASSERT, codes.ASSERT_NOT):
        return [argument[-1]]
    if operator is codes.ATOMIC_GROUP:
        return [argument]
    if operator is codes.GROUPREF_EXISTS:
        return [part for part in argument[1:] if part is not None]
    return []
