"""Date parameters: every value is a span of time, and prefixes compare spans.

https://hl7.org/fhir/R4/search.html#date

1. A value is as long as its precision: a day, a second, a millisecond. Spans are half-open,
   in milliseconds since 1970 UTC.
2. A Period without a start or an end is open there; of a Timing only the outer limits count.
3. A time without a zone is in the hub's zone, in a resource as in a search.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from fhir_server.model import Entry
from fhir_server.search.alternatives import Alternatives, cond, prefixed
from fhir_server.search.terms import Terms

EXPECTED = (
    "a date such as 2024, 2024-05, 2024-05-17 or 2024-05-17T08:30:00+08:00, "
    "perhaps after one of eq ne gt lt ge le sa eb ap"
)
FIRST = -62_135_596_800_000
LAST = 253_402_300_800_000
"""The first millisecond of the year 1 and the one after 9999: where open ends lie."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)

Span = tuple[int, int]


@lru_cache(maxsize=8192)
def span(text: str, zone: tzinfo) -> Span:
    """Return the first millisecond of a date, dateTime or instant and the first one after it.

    Raises ValueError for what is no date.

    >>> span("1970-01-01T00:00:01Z", UTC)
    (1000, 2000)
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(EXPECTED)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        if hour is None:
            return _days(int(year), month, day, zone)
        # A leap second, :60, is the first second of the next minute.
        start = datetime(int(year), int(month), int(day), int(hour), int(minute))
        start = start.replace(tzinfo=_zone(offset) if offset else zone)
        low = _milliseconds(start) + _seconds(second)
    except (ValueError, OverflowError):
        raise ValueError(EXPECTED) from None
    if second is None:
        return low, low + 60_000
    if fraction is None:
        return low, low + 1000
    low += int(fraction[:3].ljust(3, "0"))
    return low, low + int(10 ** max(0, 3 - len(fraction)))


def _days(year: int, month: str | None, day: str | None, zone: tzinfo) -> Span:
    start = datetime(year, int(month or 1), int(day or 1), tzinfo=zone)
    try:
        if day is not None:
            end = start + timedelta(days=1)
        elif month is not None:
            end = datetime(year + start.month // 12, start.month % 12 + 1, 1, tzinfo=zone)
        else:
            end = datetime(year + 1, 1, 1, tzinfo=zone)
    except (ValueError, OverflowError):  # the year 10000
        return _milliseconds(start), LAST
    return _milliseconds(start), _milliseconds(end)


def _seconds(text: str | None) -> int:
    seconds = int(text or 0)
    if seconds > 60:
        raise ValueError
    return seconds * 1000


@lru_cache(maxsize=64)
def _zone(offset: str) -> tzinfo:
    return datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo or UTC


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def entries(param: str, fhir_type: str, value: Any, zone: tzinfo) -> Iterator[Entry]:
    """Yield the span of a date, dateTime, instant, Period or Timing; nothing for other text."""
    try:
        found = _span_of(fhir_type, value, zone)
    except ValueError:
        return
    if found is not None:
        yield Entry(param, *found)


def _span_of(fhir_type: str, value: Any, zone: tzinfo) -> Span | None:
    match fhir_type, value:
        case "date" | "dateTime" | "instant", str():
            return span(value, zone)
        case "Period", dict():
            return _period(value, zone)
        case "Timing", dict():
            return _timing(value, zone)
    return None


def _period(value: dict[str, Any], zone: tzinfo) -> Span | None:
    start, end = value.get("start"), value.get("end")
    if start is None and end is None:
        return None
    low = FIRST if start is None else span(start, zone)[0]
    return low, LAST if end is None else span(end, zone)[1]


def _timing(value: dict[str, Any], zone: tzinfo) -> Span | None:
    spans = [span(each, zone) for each in value.get("event", ()) if isinstance(each, str)]
    bounds = _period(value.get("repeat", {}).get("boundsPeriod", {}), zone)
    if bounds is not None:
        spans.append(bounds)
    if not spans:
        return None
    return min(low for low, _ in spans), max(high for _, high in spans)


def alternatives(text: str, terms: Terms) -> Alternatives:
    """Return what a date text demands of an entry; raises ValueError with the form expected."""
    low, high, prefix = asked(text, terms.zone)
    return compared(prefix, low, high, terms.now)


def asked(text: str, zone: tzinfo) -> tuple[int, int, str]:
    """Return the span of a date text in a search, and its prefix.

    A space is a plus that nobody encoded in the address.
    """
    prefix, bare = prefixed(text.replace(" ", "+"))
    return *span(bare, zone), prefix


def compared(prefix: str, low: int, high: int, now: int) -> Alternatives:
    """Return the comparison of an entry's span with [low, high) that `prefix` names. What lies
    within also begins before the end, which bounds where an index looks.

    `ap` widens the value by a tenth of its distance from `now`.
    """
    slack = max(low - now, now - high, 0) // 10
    table: dict[str, Alternatives] = {
        "eq": (cond("v", ">=", low) + cond("v", "<", high) + cond("w", "<=", high),),
        "ne": (cond("v", "<", low), cond("w", ">", high)),
        "gt": (cond("w", ">", high),),
        "lt": (cond("v", "<", low),),
        "ge": (cond("v", ">=", low), cond("w", ">", high)),
        "le": (cond("w", "<=", high), cond("v", "<", low)),
        "sa": (cond("v", ">=", high),),
        "eb": (cond("w", "<=", low),),
        "ap": (cond("v", "<", high + slack) + cond("w", ">", low - slack),),
    }
    return table[prefix]
