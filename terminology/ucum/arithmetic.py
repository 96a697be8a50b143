"""Products and quotients of quantities with units of UCUM."""

from decimal import Decimal

from terminology.ucum.grammar import Part, parse
from terminology.ucum.units import decimal, measure


def multiply(value: Decimal, unit: str, by: Decimal, by_unit: str) -> tuple[Decimal, str]:
    """The product of two quantities; raises UcumError for what is not a unit.

    >>> multiply(Decimal(12), "cm", Decimal(3), "cm")
    (Decimal('36'), 'cm2')
    """
    return _product(value * by, parse(unit), parse(by_unit))


def divide(value: Decimal, unit: str, by: Decimal, by_unit: str) -> tuple[Decimal, str]:
    """The quotient of two quantities; raises UcumError for what is not a unit.

    >>> divide(Decimal(12), "cm2", Decimal(3), "cm"), divide(Decimal(4), "g", Decimal(2), "m")
    ((Decimal('4'), 'cm'), (Decimal('2'), 'g/m'))
    """
    inverted = tuple(each._replace(exponent=-each.exponent) for each in parse(by_unit))
    return _product(value / by, parse(unit), inverted)


def _product(value: Decimal, one: tuple[Part, ...], other: tuple[Part, ...]) -> tuple[Decimal, str]:
    """Units that measure the same are put together, in terms of the first of them."""
    powers: dict[str, int] = {}
    for part in (*one, *other):
        alike = next((each for each in powers if _same(each, part.symbol)), part.symbol)
        if alike != part.symbol:
            factor = measure(part.symbol).factor / measure(alike).factor
            value *= decimal(factor**part.exponent)
        powers[alike] = powers.get(alike, 0) + part.exponent
    return value, render({symbol: power for symbol, power in powers.items() if power})


def _same(one: str, other: str) -> bool:
    """Whether two symbols are multiples of one another; numbers are so only with themselves."""
    if one == other:
        return True
    first, second = measure(one), measure(other)
    is_ratio = not first.function and not second.function
    return is_ratio and bool(first.dimension) and first.dimension == second.dimension


def render(powers: dict[str, int]) -> str:
    """The code of a product of units.

    >>> render({"g": 1, "m": 2, "s": -2}), render({"s": -1}), render({})
    ('g.m2/s2', '/s', '1')
    """
    above = ".".join(_power(symbol, n) for symbol, n in powers.items() if n > 0)
    below = "".join(f"/{_power(symbol, -n)}" for symbol, n in powers.items() if n < 0)
    return above + below or "1"


def _power(symbol: str, power: int) -> str:
    if symbol.isdigit():
        return ".".join([symbol] * power)
    return symbol if power == 1 else f"{symbol}{power}"
