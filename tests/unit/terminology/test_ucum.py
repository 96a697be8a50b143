"""Units of UCUM. https://ucum.org/ucum"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.ucum import (
    UcumError,
    are_comparable,
    convert,
    divide,
    is_unit,
    measure,
    multiply,
    parse,
)
from terminology.ucum.table import entries

ALPHABET = "mgldLskK%[]{}()./*^+-0123456789_'iUHoCe "


@pytest.mark.parametrize(
    "code",
    [
        "1",
        "mg",
        "mm[Hg]",
        "10*3/uL",
        "10*-6",
        "{beats}/min",
        "/min",
        "%",
        "[iU]/L",
        "mmol/mol{creat}",
        "kg.m/s2",
        "g/(kg.(h.m2))",
        "m.s-1",
        "[m/s2/Hz^(1/2)]",
        "B[10.nV]",
        "[in_i'H2O]",
        "dar",
        "KiBy",
        "U/(10.g){feces}",
        "[degF]",
    ],
)
def test_unit_is_understood(code: str) -> None:
    assert is_unit(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "mmHg",
        "mg//dl",
        "10L",
        "kg.",
        "(kg",
        "kg)",
        "{a b}",
        "µg",
        "mg/dl{x}2",
        "cmin",
        "m" * 201,
        "(" * 50 + "m" + ")" * 50,
        "m9999",
    ],
)
def test_what_is_no_unit_is_refused(code: str) -> None:
    assert not is_unit(code)
    with pytest.raises(UcumError):
        measure(code)


def test_every_unit_of_the_table_is_a_unit() -> None:
    assert len(entries()) == 312
    assert [code for code in entries() if not is_unit(code)] == []


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        ("1", "[lb_av]", "kg", "0.45359237"),
        ("4.0000", "g", "mg", "4000"),
        ("37.0", "Cel", "K", "310.15"),
        ("98.6", "[degF]", "Cel", "37"),
        ("2", "[pH]", "mol/l", "0.01"),
        ("0.01", "mol/l", "[pH]", "2"),
        ("30", "dB[W]", "W", "1000"),
        ("100", "mm[Hg]", "kPa", "13.3322"),
        ("1", "mmol/L", "mol/m3", "1"),
        ("50", "%", "1", "0.5"),
        ("1", "wk", "d", "7"),
        ("1", "a", "d", "365.25"),
        ("5", "10*3/uL", "10*9/L", "5"),
        ("1", "{beats}/min", "/s", "0.01666666666666666666666666667"),
        ("3", "[iU]", "[IU]", "3"),
    ],
)
def test_conversion(value: str, unit: str, wanted: str, expected: str) -> None:
    assert convert(Decimal(value), unit, wanted) == Decimal(expected)


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [("cm", "cm2"), ("[iU]", "g"), ("[iU]", "[arb'U]"), ("Cel/h", "K/h"), ("[hp'_X]", "1")],
)
def test_what_measures_another_thing_is_not_converted(unit: str, wanted: str) -> None:
    assert convert(Decimal(1), unit, wanted) is None


def test_logarithm_of_nothing_has_no_value() -> None:
    assert convert(Decimal(0), "mol/l", "[pH]") is None


def test_units_are_compared_by_what_they_measure() -> None:
    assert are_comparable("J", "kg.m2/s2")
    assert are_comparable("kcal_th", "J")
    assert not are_comparable("J", "W")


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        (multiply(Decimal(2), "cm", Decimal(2), "m"), (400, "cm2")),
        (multiply(Decimal(3), "cm", Decimal(12), "cm2"), (36, "cm3")),
        (multiply(Decimal(3), "m", Decimal(2), "/s"), (6, "m/s")),
        (multiply(Decimal(3), "mg", Decimal(2), "1"), (6, "mg")),
        (divide(Decimal(1), "m", Decimal(1), "m"), (1, "1")),
        (divide(Decimal(1), "m", Decimal(1), "cm"), (100, "1")),
        (divide(Decimal(1), "1", Decimal(4), "s"), (Decimal("0.25"), "/s")),
    ],
)
def test_products_have_the_unit_that_belongs_to_them(
    product: tuple[Decimal, str], expected: tuple[Decimal, str]
) -> None:
    assert product == expected


@given(st.text(ALPHABET, max_size=30))
def test_any_text_is_a_unit_or_an_error(code: str) -> None:
    try:
        parts = parse(code)
        found = measure(code)
    except UcumError:
        return
    assert all(each.exponent for each in parts)
    assert found.factor > 0


@given(
    st.sampled_from(["mg", "[lb_av]", "kg", "t", "ug", "[oz_av]"]),
    st.decimals(-1000, 1000, places=3),
)
def test_conversion_there_and_back_gives_the_same(unit: str, value: Decimal) -> None:
    there = convert(value, "g", unit)
    assert there is not None
    back = convert(there, unit, "g")
    assert back is not None
    assert abs(back - value) < Decimal("1e-18")
