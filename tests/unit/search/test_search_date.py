"""Date parameters. https://hl7.org/fhir/R4/search.html#date"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import BadRequest
from fhir_server.search import date
from fhir_server.search.terms import SHANGHAI

FROM_21_JAN = {"effectivePeriod": {"start": "2013-01-21"}}
FROM_15_MAR = {"effectivePeriod": {"start": "2013-03-15"}}
UNTIL_21_JAN = {"effectivePeriod": {"end": "2013-01-21"}}


def at(text: str) -> dict:
    return {"effectiveDateTime": text}


THE_SPECIFICATIONS_TABLE = [
    ("eq2013-01-14", at("2013-01-14T00:00:00+08:00"), True),
    ("eq2013-01-14", at("2013-01-14T10:00:00+08:00"), True),
    ("eq2013-01-14", at("2013-01-15T00:00:00+08:00"), False),
    ("ne2013-01-14", at("2013-01-15T00:00:00+08:00"), True),
    ("ne2013-01-14", at("2013-01-14T00:00:00+08:00"), False),
    ("ne2013-01-14", at("2013-01-14T10:00:00+08:00"), False),
    ("lt2013-01-14T10:00", at("2013-01-14"), True),
    ("gt2013-01-14T10:00", at("2013-01-14"), True),
    ("ge2013-03-14", FROM_21_JAN, True),
    ("le2013-03-14", FROM_21_JAN, True),
    ("sa2013-03-14", FROM_15_MAR, True),
    ("sa2013-03-14", FROM_21_JAN, False),
    ("sa2013-03-14", UNTIL_21_JAN, False),
    ("eb2013-03-14", FROM_15_MAR, False),
    ("eb2013-03-14", FROM_21_JAN, False),
    ("eb2013-03-14", UNTIL_21_JAN, True),
    ("ap2013-03-14", at("2013-03-14"), True),
    ("ap2013-03-14", at("2015-06-15"), False),
]

MORE = [
    ("2013-01-14", at("2013-01-14"), True),
    ("2013", at("2013-01-14"), True),
    ("2013-01-14", at("2013"), False),
    ("2013-01", at("2013-01-31T23:59:59.999+08:00"), True),
    ("2013-01", at("2013-01-31T16:00:00Z"), False),
    ("2013-01-31T16:00:00Z", at("2013-02-01T00:00:00+08:00"), True),
    ("gt2013-01-14", at("2013-01-14T10:00:00+08:00"), False),
    ("ge2013-01-14", at("2013-01-14T10:00:00+08:00"), True),
    ("le2013-01-14", at("2013-01-14T10:00:00+08:00"), True),
    ("lt2013-01-14", at("2013-01-14T10:00:00+08:00"), False),
    ("ge2013-01-14", at("2013-01-13T23:59:59+08:00"), False),
    ("2013-01-14,2013-01-16", at("2013-01-16"), True),
    ("2012-12-31,2013-01-15", at("2013-01-14"), False),
    ("ge2013-06-01", {"effectiveTiming": {"event": ["2013-05-31", "2013-06-02"]}}, True),
    ("eb2013-06-03", {"effectiveTiming": {"event": ["2013-05-31", "2013-06-02"]}}, True),
    (
        "2013-02",
        {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2013-02-03"}}}},
        False,
    ),
    (
        "gt2040",
        {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2013-02-03"}}}},
        True,
    ),
]


@pytest.mark.parametrize(("text", "value", "expected"), THE_SPECIFICATIONS_TABLE + MORE)
def test_prefixes_compare_the_spans_of_both_sides(matches, text, value, expected):
    found = matches({"resourceType": "Observation", **value}, f"date={text}")

    assert found is expected


def test_repeated_parameters_must_all_hold(matches):
    visit = {"resourceType": "Encounter", "period": {"start": "2011-05-01", "end": "2011-05-03"}}

    assert matches(visit, "date=ge2010-01-01&date=le2011-12-31")
    assert not matches(visit, "date=ge2010-01-01&date=le2010-12-31")


@pytest.mark.parametrize(
    ("text", "low", "length"),
    [
        ("2024", "2024-01-01T00:00:00+08:00", timedelta(days=366)),
        ("2024-02", "2024-02-01T00:00:00+08:00", timedelta(days=29)),
        ("2024-12", "2024-12-01T00:00:00+08:00", timedelta(days=31)),
        ("2024-02-29", "2024-02-29T00:00:00+08:00", timedelta(days=1)),
        ("2024-05-17T08:30", "2024-05-17T08:30:00+08:00", timedelta(minutes=1)),
        ("2024-05-17T08:30Z", "2024-05-17T08:30:00+00:00", timedelta(minutes=1)),
        ("2024-05-17T08:30:15-04:30", "2024-05-17T08:30:15-04:30", timedelta(seconds=1)),
        ("2024-05-17T08:30:15.5Z", "2024-05-17T08:30:15.5+00:00", timedelta(milliseconds=100)),
        ("2024-05-17T08:30:15.123Z", "2024-05-17T08:30:15.123+00:00", timedelta(milliseconds=1)),
        ("2024-05-17T08:30:15.1239Z", "2024-05-17T08:30:15.123+00:00", timedelta(milliseconds=1)),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00", timedelta(seconds=1)),
        ("0001", "0001-01-01T00:00:00+08:00", timedelta(days=365)),
    ],
)
def test_span_is_as_long_as_the_precision(text, low, length):
    start = (datetime.fromisoformat(low) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )

    assert date.span(text, SHANGHAI) == (start, start + length // timedelta(milliseconds=1))


def test_last_year_ends_where_open_ends_lie():
    assert date.span("9999-12-31", UTC)[1] == date.LAST


def test_zone_of_a_time_without_one_is_given():
    plus_five = timezone(timedelta(hours=5))

    assert date.span("2024-05-17T08:30:00", plus_five) == date.span(
        "2024-05-17T03:30:00Z", SHANGHAI
    )


@pytest.mark.parametrize(
    "text",
    [
        "2024-13", "2024-02-30", "24", "20240517", "2024-05-17T08", "2024-05-17T25:00", "yesterday",
        "2024-05-17T08:30:61Z", "xx2024", "ge", "0000", "2024-05-17 08:30", "２０２４",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_with_the_form_expected(read, text):
    with pytest.raises(BadRequest, match=rf"date={text}.*expected a date such as"):
        read(f"Observation?date={text}")


def test_resource_without_dates_has_no_entries(indexed):
    observation = {"resourceType": "Observation", "effectivePeriod": {}, "effectiveTiming": {}}

    assert indexed(observation).entries == ()


@pytest.mark.parametrize(
    "performed", [{"performedString": "2020"}, {"performedAge": {"value": 40}}, {}]
)
def test_what_is_no_date_in_a_resource_is_not_indexed(matches, performed):
    assert matches({"resourceType": "Procedure", **performed}, "date:missing=true")


def test_time_that_is_no_time_is_not_indexed(matches):
    assert matches({"resourceType": "Procedure", "performedDateTime": "soon"}, "date:missing=true")


DATES = st.datetimes(datetime(1950, 1, 1), datetime(2049, 1, 1)).flatmap(
    lambda moment: st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S+08:00"]).map(
        moment.strftime
    )
)


@given(DATES, DATES)
def test_prefixes_relate_as_their_names_say(said, asked):
    low, high = date.span(said, SHANGHAI)

    def holds(prefix: str) -> bool:
        alternatives = date.compared(prefix, *date.span(asked, SHANGHAI), now=0)
        return any(
            all(
                {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
                for a, op, b in (({"v": low, "w": high}[c], op, b) for c, op, b in conds)
            )
            for conds in alternatives
        )

    assert holds("ne") is not holds("eq")
    assert holds("ge") is (holds("gt") or holds("eq"))
    assert holds("le") is (holds("lt") or holds("eq"))
    assert not (holds("sa") and holds("lt"))
    assert not (holds("eb") and holds("gt"))
