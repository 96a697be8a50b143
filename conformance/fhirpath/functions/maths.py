"""Math functions. https://hl7.org/fhirpath/N1/#math"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from conformance.fhirpath.arithmetic import in_range
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.functions.table import ANY, SAME, Function, simple, with_values
from conformance.fhirpath.nodes import Nodes, integer_of, kind, number_of, single

Number = int | Decimal
INTEGER, DECIMAL = "System.Integer", "System.Decimal"


def calculated(name: str, operate: Callable[[Decimal], Number | None], result: str) -> Function:
    """A function of one number; empty where it has no result."""

    def run(nodes: Nodes) -> Nodes:
        value = number_of(nodes, name)
        if value is None:
            return []
        return in_range(lambda: operate(Decimal(value)))

    return simple(run, result)


def absolute(nodes: Nodes) -> Nodes:
    """`abs()` of a number or quantity."""
    node = single(nodes, "abs")
    if node is not None and kind(node) == "Quantity":
        value = node[1].get("value")
        return [] if value is None else [(node[0], node[1] | {"value": abs(value)}, None)]
    found = number_of(nodes, "abs")
    return [] if found is None else in_range(lambda: found if found >= 0 else -found)


def logarithm(nodes: Nodes, base: Nodes) -> Nodes:
    """`log(base)`; empty for a number or base that has none."""
    value, of = number_of(nodes, "log"), number_of(base, "log")
    if value is None or of is None or value <= 0 or of <= 0 or of == 1:
        return []
    return in_range(lambda: _tidy(Decimal(value).ln() / Decimal(of).ln()))


def _tidy(value: Decimal) -> Decimal:
    """Without the noise of the last digits: log(8, 2) is 3."""
    return round(value, 20).normalize()


def power(nodes: Nodes, exponent: Nodes) -> Nodes:
    """`power(exponent)`; an integer where both are; empty for the root of a negative number."""
    value, by = number_of(nodes, "power"), number_of(exponent, "power")
    if value is None or by is None or (value < 0 and by != int(by)) or (value == 0 and by < 0):
        return []
    if not -1000 <= by <= 1000:
        raise FHIRPathError(f"power: exponent {by} is out of range")
    if isinstance(value, int) and isinstance(by, int) and by >= 0:
        return in_range(lambda: int(value**by))
    return in_range(lambda: Decimal(value) ** Decimal(by))


def rounded(nodes: Nodes, places: Nodes | None = None) -> Nodes:
    """`round(places)`, half away from zero."""
    value = number_of(nodes, "round")
    if value is None:
        return []
    digits = 0 if places is None else integer_of(places, "round") or 0
    if not 0 <= digits <= 28:
        raise FHIRPathError(f"round: {digits} places are out of range")
    step = Decimal(1).scaleb(-digits)
    return in_range(lambda: Decimal(value).quantize(step, rounding=ROUND_HALF_UP))


FUNCTIONS: dict[str, Function] = {
    "abs": simple(absolute, SAME),
    "ceiling": calculated(
        "ceiling", lambda value: int(value) + (1 if value > int(value) else 0), INTEGER
    ),
    "floor": calculated(
        "floor", lambda value: int(value) - (1 if value < int(value) else 0), INTEGER
    ),
    "truncate": calculated("truncate", int, INTEGER),
    "exp": calculated("exp", Decimal.exp, DECIMAL),
    "ln": calculated("ln", lambda value: value.ln() if value > 0 else None, DECIMAL),
    "sqrt": calculated("sqrt", lambda value: value.sqrt() if value >= 0 else None, DECIMAL),
    "log": with_values(logarithm, DECIMAL, 1),
    "power": with_values(power, ANY, 1),
    "round": with_values(rounded, DECIMAL, 0, 1),
}
