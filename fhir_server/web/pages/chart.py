"""Blood pressure over time as points on a plane, for one inline SVG. Pure.

Codes: LOINC 85354-9 (panel), 8480-6 (systolic), 8462-4 (diastolic). The band is systolic 90 to 140
mmHg: 国家基本公共卫生服务规范, 3rd edition, 2017.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fhir_server.web.pages.show import Json, items, local

PANEL, SYSTOLIC, DIASTOLIC = "85354-9", "8480-6", "8462-4"
CODES = ",".join(f"http://loinc.org|{each}" for each in (PANEL, SYSTOLIC, DIASTOLIC))
WIDTH, HEIGHT = 1000, 240
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 12, 28
NORMAL = (90.0, 140.0)
_LOW, _HIGH = 50.0, 170.0
_LABELS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement: local time, and mmHg; 0 where one of the two was not measured."""

    when: str
    systolic: float
    diastolic: float

    @property
    def words(self) -> str:
        """Return `132/84`, with a dash for what was not measured."""
        return "/".join(f"{each:g}" if each else "–" for each in (self.systolic, self.diastolic))


@dataclass(frozen=True, slots=True)
class Point:
    """A reading on the plane: where, and what it says."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the SVG draws; coordinates in a plane of WIDTH by HEIGHT."""

    readings: tuple[Reading, ...]
    systolic: tuple[Point, ...]
    diastolic: tuple[Point, ...]
    band: tuple[float, float]
    levels: tuple[tuple[float, int], ...]
    days: tuple[tuple[float, str], ...]
    plane: tuple[int, int, int, int] = (WIDTH, HEIGHT, LEFT, WIDTH - RIGHT)

    def path(self, points: tuple[Point, ...]) -> str:
        """Return a polyline's points."""
        return " ".join(f"{each.x:.1f},{each.y:.1f}" for each in points)


def readings(observations: Iterable[Json]) -> tuple[Reading, ...]:
    """Return the measurements, oldest first; single ones of the same minute belong together."""
    found: dict[str, dict[str, float]] = {}
    for each in observations:
        when = local(str(each.get("effectiveDateTime", "")))
        parts = [each, *items(each.get("component"))]
        values = {name: value for part in parts for name, value in _measured(part)}
        if when and values:
            found.setdefault(when, {}).update(values)
    return tuple(
        Reading(when, values.get(SYSTOLIC, 0), values.get(DIASTOLIC, 0))
        for when, values in sorted(found.items())
    )


def _measured(part: Json) -> list[tuple[str, float]]:
    codings = items((part.get("code") or {}).get("coding"))
    value = (part.get("valueQuantity") or {}).get("value")
    names = [str(each.get("code")) for each in codings]
    return [(each, float(value)) for each in names if each in (SYSTOLIC, DIASTOLIC) and value]


def chart(found: tuple[Reading, ...]) -> Chart | None:
    """Return the drawing of two readings or more; None of fewer."""
    if len(found) < 2:
        return None
    times = [_seconds(each.when) for each in found]
    first, span = times[0], max(times[-1] - times[0], 1.0)
    values = [value for each in found for value in (each.systolic, each.diastolic) if value]
    low = min(_LOW, min(values) // 10 * 10)
    high = max(_HIGH, -(-max(values) // 10) * 10)

    def x(moment: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (moment - first) / span

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    def points(name: str) -> tuple[Point, ...]:
        pairs = zip(times, found, strict=True)
        return tuple(
            Point(x(moment), y(getattr(each, name)), f"{each.when} {each.words}")
            for moment, each in pairs
            if getattr(each, name)
        )

    steps = range(int(-(-low // 30) * 30), int(high) + 1, 30)
    ticks = [first + span * place / (_LABELS - 1) for place in range(_LABELS)]
    return Chart(
        found,
        points("systolic"),
        points("diastolic"),
        (y(NORMAL[1]), y(NORMAL[0])),
        tuple((y(level), level) for level in steps),
        tuple((x(tick), f"{datetime.fromtimestamp(tick):%Y-%m}") for tick in ticks),
    )


def _seconds(when: str) -> float:
    return datetime.fromisoformat(when if len(when) > 10 else f"{when} 12:00").timestamp()
