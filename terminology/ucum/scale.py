"""Quantities in base units: what measures the same becomes equal, whatever it was written in.

https://ucum.org/ucum#section-Semantics
"""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from terminology.ucum.arithmetic import render
from terminology.ucum.grammar import UcumError
from terminology.ucum.units import STRAIGHT, counted, decimal, measure


class Scale(NamedTuple):
    """A value counts `slope` times itself and `offset` in `unit`, a product of base units."""

    slope: Decimal
    offset: Decimal
    unit: str

    def counted(self, value: Decimal) -> Decimal:
        """Return the value in base units; raises ArithmeticError beyond what decimals hold."""
        return value * self.slope + self.offset if self.offset else value * self.slope


@lru_cache(maxsize=1024)
def scale(code: str) -> Scale | None:
    """Return how a unit counts in base units.

    None for what is not a unit, and for units that are on no straight line with them (pH, decibel):
    precision and order of their values mean something else.

    >>> scale("g/L"), scale("[pH]")
    (Scale(slope=Decimal('1000'), offset=Decimal('0'), unit='g/m3'), None)
    """
    try:
        found = measure(code)
    except UcumError:
        return None
    if found.function not in STRAIGHT:
        return None
    factor = decimal(found.factor)
    slope, offset = decimal(found.scale * found.factor), counted(Decimal(0), found) * factor
    return Scale(slope, offset, render(dict(found.dimension)))
