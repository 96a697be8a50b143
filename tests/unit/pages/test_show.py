"""Resources in a reader's words."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.web.pages import chart, show
from fhir_server.web.pages.inbox import Place, place_of, segments
from fhir_server.web.pages.line import Line, line
from fhir_server.web.pages.timeline import LINES, paged
from tests.unit.pages.conftest import RAW, pressure

NOW = 1_780_000_000_000  # 2026-05-29 in China


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ({"text": "欧阳文博"}, "欧阳文博"),
        ({"family": "欧阳", "given": ["文博"]}, "欧阳文博"),
        ({"family": "Ouyang", "given": ["Wenbo"]}, "Wenbo Ouyang"),
    ],
)
def test_a_name_is_written_as_its_language_writes_it(name: dict[str, Any], shown: str) -> None:
    assert shown == show.person({"name": [name]}, "zh")


def test_a_latin_name_comes_first_in_english() -> None:
    names = {"name": [{"text": "李秀兰"}, {"text": "Li Xiulan"}]}

    assert (show.person(names, "zh"), show.person(names, "en")) == ("李秀兰", "Li Xiulan 李秀兰")


@pytest.mark.parametrize(
    ("birth", "shown"),
    [("1965-05-30", "60岁"), ("1965-05-29", "61岁"), ("2025-01-30", "15个月"), ("1965", "")],
)
def test_an_age_counts_whole_years(birth: str, shown: str) -> None:
    assert shown == show.age({"birthDate": birth}, NOW, "zh")


def test_a_quantity_keeps_its_digits() -> None:
    assert show.quantity({"value": Decimal("7.10"), "unit": "mmol/L"}) == "7.10 mmol/L"
    assert show.quantity({"value": 5, "comparator": "<", "code": "U/L"}) == "<5 U/L"


def test_two_components_of_one_unit_stand_together() -> None:
    assert show.value_of(pressure("o", "2026-01-01", 132, 84)) == "132/84 mmHg"


def test_a_time_is_that_of_the_hub() -> None:
    assert show.local("2026-05-04T23:30:00Z") == "2026-05-05 07:30"


def test_readings_of_one_minute_are_one() -> None:
    both = pressure("o", "2026-01-01", 132, 84)
    parts = [{**part, "effectiveDateTime": both["effectiveDateTime"]} for part in both["component"]]

    assert chart.readings([both]) == chart.readings(parts)
    assert chart.readings(parts)[0].words == "132/84"


def test_a_chart_needs_two_readings() -> None:
    one = chart.readings([pressure("o", "2026-01-01", 132, 84)])

    assert chart.chart(one) is None


def test_a_higher_pressure_is_drawn_higher_and_a_later_one_further_right() -> None:
    found = chart.readings(
        [pressure("a", "2026-01-01", 160, 90), pressure("b", "2026-02-01", 120, 80)]
    )

    drawn = chart.chart(found)

    assert drawn is not None
    first, last = drawn.systolic
    assert first.y < last.y
    assert first.x == chart.LEFT
    assert last.x == chart.WIDTH - chart.RIGHT


def test_a_report_tells_how_many_results_are_off() -> None:
    high = {
        "resourceType": "Observation",
        "id": "o",
        "interpretation": [{"coding": [{"code": "H"}]}],
    }
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "result": [{"reference": "Observation/o"}, {"reference": "Observation/hidden"}],
    }

    found = line(report, {"Observation/o": high}, "zh")

    assert (len(found.results), found.abnormal) == (1, 1)


def at(kind: str, day: str) -> Line:
    return Line(kind, f"{day} 09:00", kind)


def test_days_are_merged_newest_first() -> None:
    lines = {"visit": [at("visit", "2026-02-01")], "report": [at("report", "2026-03-01")]}

    page = paged(lines, set())

    assert [day.day for day in page.days] == ["2026-03-01", "2026-02-01"]
    assert page.before == ""


def test_what_is_older_than_a_kind_is_known_waits() -> None:
    """An unfinished kind may have more on its oldest day: that day and what is older wait."""
    lines = {
        "visit": [at("visit", "2026-03-02"), at("visit", "2026-03-01")],
        "report": [at("report", "2026-03-01"), at("report", "2026-01-01")],
    }

    page = paged(lines, {"visit"})

    assert [day.day for day in page.days] == ["2026-03-02"]
    assert page.before == "2026-03-02"


def test_turning_pages_shows_every_line_once() -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 11)]
    newest = [at("visit", day) for day in reversed(days)]
    seen: list[str] = []
    before = ""
    for _ in range(len(days)):
        rest = [each for each in newest if not before or each.day < before]
        page = paged({"visit": rest[:40]}, {"visit"} if len(rest) > 40 else set())
        seen += [each.day for day in page.days for each in day.lines]
        before = page.before
        if not before:
            break

    assert seen == [each.day for each in newest]
    assert len(days) > LINES


def test_a_line_without_a_date_comes_last() -> None:
    lines = {"visit": [at("visit", "2026-03-02")], "diagnosis": [Line("diagnosis", "", "x")]}

    assert [day.day for day in paged(lines, set()).days] == ["2026-03-02", ""]


def test_a_fault_marks_its_segment_and_field() -> None:
    found = segments(RAW, Place("PID", 1, 7))

    marked = [(s.name, f.number, f.text) for s in found for f in s.fields if f.is_fault]
    assert marked == [("PID", 7, "19609999")]


def test_an_absent_field_is_shown_where_it_is_the_fault() -> None:
    found = segments("MSH|^~\\&|HIS\rPID|1||7\r", Place("PID", 1, 5))

    assert [f.number for f in found[1].fields if f.is_fault] == [5]


def test_the_header_counts_its_separator_as_a_field() -> None:
    assert [(f.number, f.text) for f in segments(RAW, Place())[0].fields][:3] == [
        (1, "|"),
        (2, "^~\\&"),
        (3, "HIS"),
    ]


def test_a_message_that_did_not_fail_has_no_place() -> None:
    class Whole:
        reason = None

    assert place_of(Whole()) == Place()  # type: ignore[arg-type]
