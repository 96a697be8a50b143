"""The grammar of UCUM: a unit's code into its parts.

https://ucum.org/ucum#section-Syntax-Rules. Productions:

    main      := term | "/" term
    term      := component (("." | "/") component)*
    component := simple exponent? annotation? | annotation | digits | "(" term ")" annotation?
    simple    := atom | prefix metric-atom

An atom may hold operators and digits within its square brackets: `[m/s2/Hz^(1/2)]`.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from terminology.ucum.table import entries, prefixes

LONGEST = 200  # characters; the longest unit in use has about 40
DEEPEST = 20  # parentheses

_ANNOTATION = re.compile(r"\{[!-z|~]*\}")
_DIGITS = re.compile(r"\d+")
_POWERS = re.compile(r"(10[*^])([+-]?\d+)?")
_SIMPLE = re.compile(r"((?:[^\s.\/(){}\[\]0-9+\-]|\[[!-Z^-z|~]*\])+)([+-]?\d+)?")


class UcumError(ValueError):
    """Says what in a code is not of UCUM."""


class Part(NamedTuple):
    """A unit to a power: `prefix` and `atom` are codes of the table, or the atom is a number."""

    prefix: str
    atom: str
    exponent: int

    @property
    def symbol(self) -> str:
        """Prefix and atom as written."""
        return self.prefix + self.atom


@lru_cache(maxsize=1024)
def parse(code: str) -> tuple[Part, ...]:
    """The parts of a unit, without its annotations; none for `1` and for mere annotations.

    Raises UcumError for what is not a unit.

    >>> parse("mg/(dl.h2)")
    (Part(prefix='m', atom='g', exponent=1), Part(prefix='d', atom='l', exponent=-1), \
Part(prefix='', atom='h', exponent=-2))
    """
    if not code or len(code) > LONGEST:
        raise UcumError(f"a unit has 1 to {LONGEST} characters")
    reader = _Reader(code)
    parts = reader.main()
    if reader.rest:
        raise UcumError(f"{code!r}: found {reader.rest!r}, expected an operator")
    return tuple(each for each in parts if each.exponent and each.atom != "1")


class _Reader:
    def __init__(self, code: str) -> None:
        self._code = code
        self._at = 0
        self._depth = 0

    @property
    def rest(self) -> str:
        """What is not read yet."""
        return self._code[self._at :]

    def main(self) -> list[Part]:
        """The whole unit; it may begin with a division."""
        if self._accept("/"):
            return self._term(-1)
        return self._term(1)

    def _term(self, sign: int) -> list[Part]:
        """Components with operators between them; `sign` is that of the first one's exponent."""
        parts = self._component(sign)
        while True:
            if self._accept("."):
                parts += self._component(1)
            elif self._accept("/"):
                parts += self._component(-1)
            else:
                return parts

    def _component(self, sign: int) -> list[Part]:
        if self._accept("("):
            parts = self._group(sign)
            self._match(_ANNOTATION)
            return parts
        if self._match(_ANNOTATION):
            return []
        if powers := self._match(_POWERS):
            part = Part("", powers[1], int(powers[2] or 1) * sign)
        elif digits := self._match(_DIGITS):
            part = Part("", digits[0], sign)
        elif simple := self._match(_SIMPLE):
            part = Part(*resolve(simple[1]), int(simple[2] or 1) * sign)
        else:
            raise UcumError(f"{self._code!r}: found {self.rest!r}, expected a unit")
        self._match(_ANNOTATION)
        return [part]

    def _group(self, sign: int) -> list[Part]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise UcumError(f"{self._code!r} is nested deeper than {DEEPEST}")
        parts = self._term(1)
        if not self._accept(")"):
            raise UcumError(f"{self._code!r}: found {self.rest!r}, expected ')'")
        self._depth -= 1
        return [each._replace(exponent=each.exponent * sign) for each in parts]

    def _accept(self, text: str) -> bool:
        found = self._code.startswith(text, self._at)
        self._at += len(text) * found
        return found

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._code, self._at)
        if found:
            self._at = found.end()
        return found


def resolve(symbol: str) -> tuple[str, str]:
    """The prefix, or none, and the atom of a symbol; raises UcumError for an unknown one.

    >>> resolve("mmol"), resolve("cd"), resolve("dar")
    (('m', 'mol'), ('', 'cd'), ('d', 'ar'))
    """
    if symbol in entries():
        return "", symbol
    for length in (1, 2):
        prefix, atom = symbol[:length], symbol[length:]
        if prefix in prefixes() and atom in entries() and entries()[atom].is_metric:
            return prefix, atom
    raise UcumError(f"{symbol!r} is not a unit of UCUM")
