"""Operators, by the examples and the words of the specification. https://hl7.org/fhirpath/N1/#operations"""

from decimal import Decimal
from typing import Any

import pytest
from fhirpath_tables import evaluate

from conformance.fhirpath import FHIRPathError
from conformance.fhirpath.model import Model

D = Decimal

TABLE: dict[str, list[tuple[str, Any]]] = {
    "equality": [
        ("{} = {}", None),
        ("{} != 'dummy'", None),
        ("1 = 1.0", True),
        ("'a' = 1", False),
        ("(1 | 2) = (2 | 1)", False),
        ("(1 | 2) = 1", False),
        ("@2012 = @2013", False),
        ("@2012-01 = @2012", None),
        ("@2012-01-01T10:30:31 = @2012-01-01T10:30", None),
        ("@2012-01-01T10:30:31.0 = @2012-01-01T10:30:31", True),
        ("@2012-01-01T10:30:31.1 = @2012-01-01T10:30:31", False),
        ("@2017-11-05T01:30:00.0-04:00 = @2017-11-05T00:30:00.0-05:00", True),
        ("@T10:30 = @T10:30", True),
        ("{} ~ {}", True),
        ("1 ~ {}", False),
        ("'A b' ~ 'a\\tB'", True),
        ("(1 | 2) ~ (2 | 1)", True),
        ("@2012-01 ~ @2012", False),
        ("1.1 ~ 1.11", True),
        ("1.1 ~ 1.2", False),
        ("1 !~ 2", True),
    ],
    "quantities": [
        ("1 'cm' = 0.01 'm'", True),
        ("1 'cm' = 1 'cm2'", None),
        ("1 'cm' ~ 1 'cm2'", False),
        ("1 'nonsense' = 1 'm'", None),
        ("1 '[in_i]' = 2.54 'cm'", True),
        ("4 'm' > 4 'cm'", True),
        ("1 'm' > 1 's'", None),
        ("0 'Cel' = 32 '[degF]'", True),
        ("4 'g' ~ 4040 'mg'", True),
        ("4.0 'g' ~ 4040 'mg'", True),
        ("4.01 'g' ~ 4060 'mg'", False),
        ("1 year = 1 'a'", None),
        ("1 year > 1 'a'", None),
        ("1 year ~ 1 'a'", True),
        ("1 second = 1 's'", True),
        ("10 seconds > 1 's'", True),
        ("1 year = 12 months", True),
        ("12 months = 1 year", True),
        ("1 year = 365 days", True),
        ("30 days = 1 month", True),
        ("1 month < 31 'd'", True),
        ("7 days = 1 week", True),
        ("12 'cm' * 3 'cm' = 36 'cm2'", True),
        ("3 'cm' * 12 'cm2' = 36 'cm3'", True),
        ("12 'cm2' / 3 'cm' = 4.0 'cm'", True),
        ("2 * 3 'mg' = 6 'mg'", True),
        ("6 'mg' / 2 = 3 'mg'", True),
        ("2 * 1 year = 2 years", True),
        ("1 'mg' / 0 'ml'", None),
        ("3 'm' + 3 'cm' = 303 'cm'", True),
        ("(3 'm' + 3 'cm').toString()", "303 'cm'"),
        ("3 'm' - 3 'cm' = 297 'cm'", True),
        ("3 'm' + 3 's'", None),
        ("-(3 'm') = -3 'm'", True),
        ("(3 'm' + 1 'm').value", 4),
        ("(3 'mg').unit", "mg"),
        ("(3 days).unit", "day"),
    ],
    "comparison": [
        ("'abc' > 'ABC'", True),
        ("10 > 5.0", True),
        ("{} > 1", None),
        ("@2018-03-01 > @2018-01-01", True),
        ("@2018-03 > @2018-03-01", None),
        ("@2018-03-01T10 > @2018-03-01T10:30", None),
        ("@2018-03-01T10:30:00 >= @2018-03-01T10:30:00.0", True),
        ("@T10 <= @T10:30", None),
        ("@T10:30:00 <= @T10:00:00", False),
        ("@2017-11-05T01:30:00.0-04:00 < @2017-11-05T01:15:00.0-05:00", True),
    ],
    "types": [
        ("1 is Integer", True),
        ("1 is System.Integer", True),
        ("1 is Decimal", False),
        ("{} is Integer", None),
        ("(1 as Integer)", 1),
        ("('a' as Integer)", None),
        ("1 > 0 is Boolean", None),
    ],
    "collections": [
        ("1 in (1 | 2)", True),
        ("{} in (1 | 2)", None),
        ("1 in {}", False),
        ("(1 | 2) contains 2", True),
        ("{} contains 2", False),
        ("(1 | 2) contains {}", None),
    ],
    "logic": [
        ("true and {}", None),
        ("false and {}", False),
        ("{} and true", None),
        ("{} or true", True),
        ("{} or false", None),
        ("true xor true", False),
        ("true xor {}", None),
        ("true implies {}", None),
        ("true implies false", False),
        ("{} implies true", True),
        ("{} implies false", None),
        ("false implies false", True),
        ("'a' and true", True),
    ],
    "arithmetic": [
        ("5 div 2", 2),
        ("5.5 div 0.7", 7),
        ("5 div 0", None),
        ("5 mod 2", 1),
        ("5.5 mod 0.7", D("0.6")),
        ("-5 mod 2", -1),
        ("12 / 0", None),
        ("4 / 2", D(2)),
        ("'ABC' + {} + 'DEF'", None),
        ("'ABC' & {} & 'DEF'", "ABCDEF"),
        ("2147483647 + 1", None),
        ("-2147483647 - 2", None),
        ("65536 * 65536", None),
        ("2147483647 + 1.0", D("2147483648.0")),
        ("1 + 2 * 3", 7),
    ],
    "dates": [
        ("@2014 + 24 months", "2016"),
        ("@2014 + 23 months", "2015"),
        ("@2014 - 23 months", "2013"),
        ("@2016 + 365 days", "2017"),
        ("@2014-05 + 31 days", "2014-06"),
        ("@2019-03-01 + 24 months", "2021-03-01"),
        ("@2019-03-01 - 24 months", "2017-03-01"),
        ("@2020-02-29 + 1 year", "2021-02-28"),
        ("@2020-01-31 + 1 month", "2020-02-29"),
        ("@2020-01-31 - 11 months", "2019-02-28"),
        ("@2020-01-01 + 1.9 days", "2020-01-02"),
        ("@2020-01-01 + 1 week", "2020-01-08"),
        ("@2020-01-01 + 1 'wk'", "2020-01-08"),
        ("@2020-01-01T10:00:00 + 0.5 seconds", "2020-01-01T10:00:00.500"),
        ("@2020-01-01T10:00:00.000Z - 1 'ms'", "2020-01-01T09:59:59.999Z"),
        ("@2020-01-01T10 + 90 minutes", "2020-01-01T11"),
        ("@2020-01-01T10 - 90 minutes", "2020-01-01T09"),
        ("@2020-01-01T23:30+08:00 + 1 hour", "2020-01-02T00:30+08:00"),
        ("@T23:30 + 1 hour", "00:30"),
        ("@2020-01-01 + {}", None),
    ],
}


@pytest.mark.parametrize(
    ("expression", "expected"), [row for rows in TABLE.values() for row in rows]
)
def test_operator(model: Model, expression: str, expected: Any) -> None:
    if expression == "1 > 0 is Boolean":  # `is` binds more strongly: 1 > (0 is Boolean)
        with pytest.raises(FHIRPathError):
            evaluate(model, expression)
        return
    assert evaluate(model, expression) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "expression",
    [
        "(1 | 2) + 1",
        "(1 | 2) > 1",
        "(1 | 2) in (1 | 2)",
        "(1 | 2) and true",
        "(1 | 2) is Integer",
        "'a' > 1",
        "'a' + 1",
        "'a' * 2",
        "'a' - 'b'",
        "@2020 > 'a'",
        "true > false",
        "@2020 > @T10",
        "-'a'",
        "+'a'",
        "(1 | 2) & 'b'",
        "1 & 'b'",
        "@2020-01-01 + 1 'a'",
        "@2020-01-01 + 1 'mo'",
        "@2020-01-01 + 1 'cm'",
        "@2020-01-01 + 1 hour",
        "@T10:00 + 1 day",
        "@2020-01-01 + 7",
        "@9999-12-31 + 1 day",
        "@0001-01-01 - 1 year",
    ],
)
def test_operator_on_what_it_is_not_for_is_an_error(model: Model, expression: str) -> None:
    with pytest.raises(FHIRPathError):
        evaluate(model, expression)
