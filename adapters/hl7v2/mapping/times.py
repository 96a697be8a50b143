"""v2 DT, TM, TS and DTM to FHIR date, time, dateTime and instant.

https://hl7.org/fhir/R4/datatypes.html#dateTime

Precision is kept: a day stays a day, and no zone is invented for it. A time of day needs a zone and
seconds in FHIR: the source's zone is taken where the message has none, missing seconds are zero.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from adapters.hl7v2.faults import DATA_TYPE
from adapters.hl7v2.message import Segment
from adapters.hl7v2.source import Source

_TIMESTAMP = re.compile(
    r"(?P<year>\d{4})(?:-?(?P<month>\d\d)(?:-?(?P<day>\d\d)"
    r"(?:[T ]?(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?P<fraction>\.\d{1,9})?)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?"
)
_TIME = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(\.\d{1,9})?)?)?([+-]\d{4})?")


def date_time(segment: Segment, field: int, source: Source, component: int = 1) -> str:
    """Return a dateTime, empty where the field is; raises ContentFault 102 for no such time."""
    text = segment.text(field, component)
    return as_date_time(text, segment, field, source) if text else ""


def date(segment: Segment, field: int, source: Source) -> str:
    """Return a date: the day of a timestamp as its sender's clock showed it."""
    return date_time(segment, field, source)[:10]


def instant(segment: Segment, field: int, source: Source) -> str:
    """Return an instant, empty where the field is empty or less precise than a minute."""
    found = date_time(segment, field, source)
    return found if "T" in found else ""


def moment(segment: Segment, field: int, source: Source) -> str:
    """Return a timestamp in UTC whose text compares as its time does; a day is its beginning."""
    return as_moment(date_time(segment, field, source), source)


def as_moment(found: str, source: Source) -> str:
    """Return a dateTime in UTC with microseconds; empty stays empty."""
    if not found:
        return ""
    if "T" not in found:
        whole = found + "0001-01-01"[len(found) :]
        return _utc(datetime.fromisoformat(whole).replace(tzinfo=_zone(source.timezone)))
    return _utc(datetime.fromisoformat(found))


def as_date_time(text: str, segment: Segment, field: int, source: Source) -> str:
    """Return the dateTime of a v2 timestamp; the segment and field are named in a fault."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise _fault(text, segment, field)
    part = found.groupdict()
    year, month, day, hour, minute, second = (int(part[name] or low) for name, low in _LOWEST)
    try:
        whole = datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise _fault(text, segment, field) from error
    if part["hour"] is None:
        return "-".join(filter(None, (part["year"], part["month"], part["day"])))
    clock = whole.isoformat() + (part["fraction"] or "")
    return clock + (_offset(part["zone"]) or _local_offset(whole, source.timezone))


def as_time(text: str) -> str:
    """Return the FHIR time of a v2 TM, empty where it is none; FHIR has no zone there."""
    found = _TIME.fullmatch(text)
    if found is None:
        return ""
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    if hour > 23 or minute > 59 or second > 59:
        return ""
    return f"{hour:02}:{minute:02}:{second:02}{found.group(4) or ''}"


_LOWEST = (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def _fault(text: str, segment: Segment, field: int) -> Exception:
    shown = f"{text[:30]!r} is no time; expected YYYY[MM[DD[HHMM[SS[.S]]]]][+/-ZZZZ]"
    return segment.fault(DATA_TYPE, field, shown)


def _offset(zone: str | None) -> str:
    if not zone or zone == "Z":
        return zone or ""
    return f"{zone[:3]}:{zone[-2:]}"


def _local_offset(whole: datetime, timezone: str) -> str:
    text = whole.replace(tzinfo=_zone(timezone)).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def _utc(aware: datetime) -> str:
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=32)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
