"""Dates, times and instants with their precision, and arithmetic on them.

https://hl7.org/fhirpath/N1/#datetime-comparison, https://hl7.org/fhirpath/N1/#datetime-arithmetic
"""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from conformance.fhirpath.errors import FHIRPathError

_SHAPE = re.compile(
    r"(?:(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?)?(?P<t>T?)"
    r"(?:(?P<hour>\d{2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?)?)?"
    r"(?P<zone>Z|[+-]\d{2}:\d{2})?"
)
_FIELDS = ("year", "month", "day", "hour", "minute", "second")
_SECONDS = {
    "week": Decimal(604_800),
    "day": Decimal(86_400),
    "hour": Decimal(3600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}
_OF_PRECISION = {3: _SECONDS["day"], 4: _SECONDS["hour"], 5: _SECONDS["minute"]}


class Temporal(NamedTuple):
    """`fields`: year to second (a Decimal) for a date, hour to second for a time; as many as said.

    `zone` is the offset from UTC in minutes, None where there is none.
    """

    is_time: bool
    fields: tuple[int | Decimal, ...]
    zone: int | None


@lru_cache(maxsize=4096)
def parse(text: str) -> Temporal | None:
    """A date, dateTime, instant or time (`10:00`, `T10:00`); None where it is none.

    >>> parse("2020-02").fields
    (2020, 2)
    >>> parse("2020-02-30") is None
    True
    """
    found = _SHAPE.fullmatch(text)
    if not found or text in ("", "T"):
        return None
    parts = [found[name] for name in _FIELDS]
    is_time = parts[0] is None
    given = [part for part in (parts[3:] if is_time else parts) if part is not None]
    if not is_time and parts[3] is not None and (parts[2] is None or not found["t"]):
        return None
    has_second = parts[5] is not None
    whole = [int(part) for part in (given[:-1] if has_second else given)]
    fields: tuple[int | Decimal, ...] = tuple(whole)
    if has_second:
        fields += (Decimal(given[-1]),)
    temporal = Temporal(is_time, fields, _offset(found["zone"]))
    return temporal if _exists(temporal) else None


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def _exists(temporal: Temporal) -> bool:
    try:
        _datetime(temporal)
    except (ValueError, OverflowError):
        return False
    return True


def _datetime(temporal: Temporal) -> datetime:
    """The first moment of a temporal value; of a time, on an arbitrary day."""
    fields = (2000, 1, 1, *temporal.fields) if temporal.is_time else temporal.fields
    padded = [*fields, *(1, 1, 1, 0, 0, 0)[len(fields) :]]
    second = Decimal(padded[5])
    whole = min(int(second), 59)  # a leap second counts as the 59th
    micro = min(int((second - int(second)) * 1_000_000), 999_999)
    date = [int(part) for part in padded[:5]]
    if second >= 61:
        raise ValueError(second)
    zone = None if temporal.zone is None else timezone(timedelta(minutes=temporal.zone))
    return datetime(date[0], date[1], date[2], date[3], date[4], whole, micro, tzinfo=zone)


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None where the precisions, or the lack of a time zone, leave it open."""
    if left.is_time != right.is_time:
        return None
    if left.zone != right.zone:
        has_times = len(left.fields) > 3 and len(right.fields) > 3
        if (left.zone is None or right.zone is None) and has_times:
            return None
        left, right = in_utc(left), in_utc(right)
    for one, other in zip(left.fields, right.fields, strict=False):
        if one != other:
            return -1 if one < other else 1
    return 0 if len(left.fields) == len(right.fields) else None


def in_utc(temporal: Temporal) -> Temporal:
    """The same moment in UTC with the same precision; without a zone, the value itself."""
    if not temporal.zone or len(temporal.fields) < 4:
        return temporal
    try:
        return _from(_datetime(temporal).astimezone(UTC), temporal)
    except OverflowError:
        return temporal


def _from(moment: datetime, like: Temporal) -> Temporal:
    """A moment, in its zone, with the precision of `like`."""
    second: int | Decimal = Decimal(moment.second)
    if like.fields and isinstance(like.fields[-1], Decimal):
        places = -int(like.fields[-1].as_tuple().exponent)
        if places or moment.microsecond:
            exact = Decimal(moment.second) + Decimal(moment.microsecond) / 1_000_000
            second = exact.quantize(Decimal(1).scaleb(-max(places, 3 if moment.microsecond else 0)))
    every = (moment.year, moment.month, moment.day, moment.hour, moment.minute, second)
    fields = every[3:] if like.is_time else every
    offset = moment.utcoffset()
    zone = None if offset is None else int(offset.total_seconds() // 60)
    return Temporal(like.is_time, fields[: len(like.fields)], zone)


def shift(temporal: Temporal, amount: Decimal, unit: str) -> Temporal:
    """Add an amount of a calendar unit; raises FHIRPathError where the result has no date.

    Only of seconds and milliseconds do fractions count. A unit finer than the precision is counted
    in that: whole years of 365 days, months of 30 days.
    """
    precision = len(temporal.fields) + (3 if temporal.is_time else 0)
    if unit in ("year", "month"):
        months = int(amount) * (12 if unit == "year" else 1)
        return _shift_months(temporal, int(months / 12) * 12 if precision == 1 else months)
    exact = amount if unit in ("second", "millisecond") else Decimal(int(amount))
    seconds = exact * _SECONDS[unit]
    if precision < 3:
        days = int(seconds / 86400)
        return _shift_months(temporal, int(days / 365) * 12 if precision == 1 else int(days / 30))
    if precision < 6:
        in_units = int(seconds / _OF_PRECISION[precision])
        seconds = in_units * _OF_PRECISION[precision]
    try:
        step = timedelta(microseconds=int(seconds * 1_000_000))
        return _from(_datetime(temporal) + step, temporal)
    except (OverflowError, ArithmeticError):
        raise FHIRPathError(f"{render(temporal)} + {amount} {unit} has no date") from None


def _shift_months(temporal: Temporal, months: int) -> Temporal:
    year, month = (
        int(temporal.fields[0]),
        int(temporal.fields[1]) if len(temporal.fields) > 1 else 1,
    )
    year, month = divmod(year * 12 + month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise FHIRPathError(f"{render(temporal)} + {months} months has no date")
    fields = [year, month + 1, *temporal.fields[2:]][: len(temporal.fields)]
    if len(fields) > 2:
        fields[2] = min(int(fields[2]), calendar.monthrange(year, month + 1)[1])
    return temporal._replace(fields=tuple(fields))


def render(temporal: Temporal) -> str:
    """The value as FHIR writes it.

    >>> render(parse("2020-02-01T10:00:00.50+01:00"))
    '2020-02-01T10:00:00.50+01:00'
    """
    fields = temporal.fields
    date, time = ((), fields) if temporal.is_time else (fields[:3], fields[3:])
    text = "-".join(f"{part:0{4 if ix == 0 else 2}d}" for ix, part in enumerate(map(int, date)))
    if time:
        text += "T" * (not temporal.is_time) + ":".join(map(_two_digits, time))
    return text + ("" if temporal.zone is None else _zone_text(temporal.zone))


def _two_digits(part: int | Decimal) -> str:
    if isinstance(part, int):
        return f"{part:02d}"
    return f"{part:f}" if part >= 10 else f"0{part:f}"


def _zone_text(zone: int) -> str:
    if zone == 0:
        return "Z"
    hours, minutes = divmod(abs(zone), 60)
    return f"{'-' if zone < 0 else '+'}{hours:02d}:{minutes:02d}"
