"""Dates. https://hl7.org/fhir/R4/search.html#date"""

from tests.contract.table.row import Section, about, observation


def _on(id: str, text: str) -> dict[str, object]:
    return observation(id, effectiveDateTime=text)


DAYS = Section(
    "days and hours",
    [
        _on("day", "2013-01-14"),
        _on("midnight", "2013-01-14T00:00:00+08:00"),
        _on("ten", "2013-01-14T10:00:00+08:00"),
        _on("next", "2013-01-15T00:00:00+08:00"),
        _on("month", "2013-01"),
        _on("year", "2013"),
        observation("none"),
    ],
    about(
        "date",
        ("no prefix", "Observation?date=2013-01-14", "day midnight ten"),
        ("no prefix", "Observation?date=2013-01", "day midnight ten next month"),
        ("no prefix", "Observation?date=2013", "day midnight ten next month year"),
        ("no prefix", "Observation?date=2013-01-14T10:00", "ten"),
        ("eq", "Observation?date=eq2013-01-14", "day midnight ten"),
        ("ne", "Observation?date=ne2013-01-14", "next month year"),
        ("lt", "Observation?date=lt2013-01-14T10:00:00%2B08:00", "day midnight month year"),
        ("gt", "Observation?date=gt2013-01-14T10:00:00%2B08:00", "day next month year"),
        ("ge", "Observation?date=ge2013-01-14", "day midnight ten next month year"),
        ("ge", "Observation?date=ge2013-01-15", "next month year"),
        ("le", "Observation?date=le2013-01-14", "day midnight ten month year"),
        ("le", "Observation?date=le2013-01-13", "month year"),
        ("sa", "Observation?date=sa2013-01-14", "next"),
        ("eb", "Observation?date=eb2013-01-15", "day midnight ten"),
        (":missing", "Observation?date:missing=true", "none"),
        (":missing", "Observation?date:missing=false", "day midnight ten next month year"),
        ("OR list", "Observation?date=2013-01-15,2013-01-14T10:00", "next ten"),
        ("and", "Observation?date=ge2013-01-14&date=lt2013-01-14T09:00", "day midnight month year"),
        ("unreadable", "Observation?date=14.01.2013", "400"),
        ("unreadable", "Observation?date=2013-13-01", "400"),
        ("a modifier that it has not", "Observation?date:exact=2013", "400"),
    ),
)

ZONES = Section(
    "zones",
    [
        _on("shanghai", "2024-05-17T01:00:00+08:00"),
        _on("utc", "2024-05-16T17:00:00Z"),
        _on("later", "2024-05-17T01:00:00Z"),
        _on("millisecond", "2024-05-17T01:00:00.250+08:00"),
    ],
    about(
        "date",
        (
            "a zone",
            "Observation?date=2024-05-17T01:00:00%2B08:00",
            "shanghai utc millisecond",
        ),
        ("a zone", "Observation?date=2024-05-16T17:00:00Z", "shanghai utc millisecond"),
        ("a zone", "Observation?date=2024-05-17T01:00:00 08:00", "shanghai utc millisecond"),
        ("no zone: UTC+8", "Observation?date=2024-05-17", "shanghai utc millisecond later"),
        ("no zone: UTC+8", "Observation?date=2024-05-16", ""),
        ("milliseconds", "Observation?date=2024-05-17T01:00:00.250%2B08:00", "millisecond"),
        (
            "milliseconds",
            "Observation?date=gt2024-05-17T01:00:00.100%2B08:00",
            "shanghai utc millisecond later",
        ),
    ),
)

PERIODS = Section(
    "periods",
    [
        _on("day", "2013-03-14"),
        _on("far", "2015-06-15"),
        observation("from21", effectivePeriod={"start": "2013-01-21"}),
        observation("until21", effectivePeriod={"end": "2013-01-21"}),
        observation("from15", effectivePeriod={"start": "2013-03-15"}),
        observation("spring", effectivePeriod={"start": "2013-03-01", "end": "2013-05-31"}),
        observation(
            "timing",
            effectiveTiming={
                "repeat": {
                    "boundsPeriod": {"start": "2013-01-31", "end": "2013-03-24"},
                    "period": 2,
                    "periodUnit": "d",
                }
            },
        ),
        observation("events", effectiveTiming={"event": ["2012-01-01", "2012-03-01"]}),
        observation("instant", effectiveInstant="2012-06-01T12:00:00+08:00"),
    ],
    about(
        "date",
        (
            "ge with a Period",
            "Observation?date=ge2013-03-14",
            "day far from21 from15 spring timing",
        ),
        (
            "le with a Period",
            "Observation?date=le2013-03-14",
            "day from21 until21 spring timing events instant",
        ),
        ("sa with a Period", "Observation?date=sa2013-03-14", "far from15"),
        ("eb with a Period", "Observation?date=eb2013-03-14", "until21 events instant"),
        ("eq with a Period", "Observation?date=2013", "day spring timing"),
        ("eq with a Timing", "Observation?date=2012", "events instant"),
        (
            "a day within a Timing",
            "Observation?date=ge2013-02-01&date=le2013-02-01",
            "from21 timing",
        ),
        (
            "ap: within a tenth of the time since",
            "Observation?date=ap2013-03-14",
            "day from21 until21 from15 spring timing events instant",
        ),
    ),
)

DATES = [DAYS, ZONES, PERIODS]
