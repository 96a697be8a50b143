"""Units of UCUM: what they measure, and conversion between those that measure the same.

https://ucum.org/ucum#section-Semantics
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal, DecimalException
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from terminology.ucum.grammar import Part, UcumError, parse
from terminology.ucum.table import entries, prefixes

Dimension = tuple[tuple[str, int], ...]

MOST = 400  # the highest power of a unit that is counted with


class Measure(NamedTuple):
    """`factor` times base units to their powers; arbitrary units are bases of their own.

    Of a special unit, `function` leads from its value to that in `factor` times the base units,
    and `scale` is what its prefix stands for.
    """

    factor: Fraction
    dimension: Dimension
    function: str = ""
    scale: Fraction = Fraction(1)


def is_unit(code: str) -> bool:
    """Whether a code is a unit of UCUM.

    >>> is_unit("mm[Hg]"), is_unit("mmHg")
    (True, False)
    """
    try:
        measure(code)
    except UcumError:
        return False
    return True


@lru_cache(maxsize=1024)
def measure(code: str) -> Measure:
    """What a unit measures; raises UcumError for what is not a unit.

    >>> measure("km/h")
    Measure(factor=Fraction(5, 18), dimension=(('m', 1), ('s', -1)), function='', \
scale=Fraction(1, 1))
    """
    parts = parse(code)
    if len(parts) == 1 and parts[0].exponent == 1 and _function(parts[0]):
        return _special(parts[0])
    if any(_function(part) for part in parts):
        return Measure(Fraction(1), ((code, 1),))  # a unit, but convertible to none
    factor = Fraction(1)
    powers: Counter[str] = Counter()
    for part in parts:
        if abs(part.exponent) > MOST:
            raise UcumError(f"{code!r}: power {part.exponent} is out of range")
        found = _of_part(part.prefix, part.atom)
        factor *= found.factor**part.exponent
        for base, power in found.dimension:
            powers[base] += power * part.exponent
    return Measure(factor, tuple(sorted((base, n) for base, n in powers.items() if n)))


def _function(part: Part) -> str:
    return entries()[part.atom].function if part.atom in entries() else ""


def _special(part: Part) -> Measure:
    entry = entries()[part.atom]
    counted = measure(entry.unit)
    scale = prefixes()[part.prefix].value if part.prefix else Fraction(1)
    return Measure(counted.factor * entry.value, counted.dimension, entry.function, scale)


def _of_part(prefix: str, atom: str) -> Measure:
    if atom.isdigit():
        return Measure(Fraction(int(atom) or 1), ())
    entry = entries()[atom]
    scale = prefixes()[prefix].value if prefix else Fraction(1)
    if entry.kind == "base" or (entry.kind == "arbitrary" and entry.unit == "1"):
        return Measure(scale, ((atom, 1),))
    found = measure(entry.unit)
    return Measure(scale * entry.value * found.factor, found.dimension)


def are_comparable(one: str, other: str) -> bool:
    """Whether two units measure the same; raises UcumError for what is not a unit.

    >>> are_comparable("cm", "[in_i]"), are_comparable("cm", "s"), are_comparable("[iU]", "mol")
    (True, False, False)
    """
    return measure(one).dimension == measure(other).dimension


def convert(value: Decimal, unit: str, wanted: str) -> Decimal | None:
    """A value in another unit; None where the two do not measure the same.

    Raises UcumError for what is not a unit.

    >>> convert(Decimal("37.0"), "Cel", "[degF]"), convert(Decimal(1), "kg", "s")
    (Decimal('98.60'), None)
    """
    if unit == wanted:
        return value
    source, target = measure(unit), measure(wanted)
    if source.dimension != target.dimension:
        return None
    try:
        base = Fraction(counted(value, source)) * source.factor / target.factor
        found = _uncounted(base, target)
    except (DecimalException, KeyError, OverflowError, ZeroDivisionError):
        return None
    return found if found.is_finite() else None


def decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal, exact where it has one of 28 digits, and without empty digits."""
    found = Decimal(value.numerator) / Decimal(value.denominator)
    whole = found.to_integral_value()
    return whole if found == whole and abs(whole) < 10**28 else found.normalize()


# Special units: from their value to what the table counts in, and back.
_TEN = Decimal(10)
_FUNCTIONS: dict[str, tuple[Callable[[Decimal], Decimal], Callable[[Decimal], Decimal]]] = {
    "Cel": (lambda x: x + Decimal("273.15"), lambda x: x - Decimal("273.15")),
    "degF": (lambda x: x + Decimal("459.67"), lambda x: x - Decimal("459.67")),
    "degRe": (lambda x: x + Decimal("218.52"), lambda x: x - Decimal("218.52")),
    "pH": (lambda x: _TEN**-x, lambda x: -x.log10()),
    "ln": (lambda x: x.exp(), lambda x: x.ln()),
    "lg": (lambda x: _TEN**x, lambda x: x.log10()),
    "lgTimes2": (lambda x: _TEN ** (x / 2), lambda x: 2 * x.log10()),
    "ld": (lambda x: Decimal(2) ** x, lambda x: x.ln() / Decimal(2).ln()),
    "sqrt": (lambda x: x * x, lambda x: x.sqrt()),
}


STRAIGHT = ("", "Cel", "degF", "degRe")
"""The functions that are straight lines; none is one."""


def counted(value: Decimal, found: Measure) -> Decimal:
    """What a value counts in the unit that the table has for its own."""
    if not found.function:
        return value
    forward, _ = _FUNCTIONS[found.function]
    return forward(value * decimal(found.scale))


def _uncounted(value: Fraction, found: Measure) -> Decimal:
    if not found.function:
        return decimal(value)
    _, back = _FUNCTIONS[found.function]
    return back(decimal(value)) / decimal(found.scale)
