"""UCUM, the Unified Code for Units of Measure: its whole grammar and table, and conversion.

https://ucum.org/ucum
"""

from terminology.ucum.arithmetic import divide, multiply
from terminology.ucum.grammar import UcumError, parse
from terminology.ucum.units import are_comparable, convert, is_unit, measure

__all__ = [
    "UcumError",
    "are_comparable",
    "convert",
    "divide",
    "is_unit",
    "measure",
    "multiply",
    "parse",
]
