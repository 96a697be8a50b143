"""Places on the earth: how far apart two are, and the box around a circle.

https://hl7.org/fhir/R4/location.html#search (WGS84; the earth is taken for a ball)
"""

from math import asin, cos, degrees, floor, pi, radians, sin, sqrt
from typing import NamedTuple

RADIUS = 6_371_008.8
"""Mean radius of the earth in metres."""


class Box(NamedTuple):
    """Bounds in degrees; without bounds of longitude where a pole or the antimeridian is inside."""

    south: float
    north: float
    west: float | None
    east: float | None


def distance(latitude: float, longitude: float, other: float, meridian: float) -> int:
    """Return the great-circle distance of two places in whole metres, by the haversine formula.

    >>> distance(31.2304, 121.4737, 39.9042, 116.4074)
    1067311
    """
    half = sin(radians(other - latitude) / 2) ** 2
    across = cos(radians(latitude)) * cos(radians(other))
    half += across * sin(radians(meridian - longitude) / 2) ** 2
    return floor(2 * RADIUS * asin(sqrt(min(1.0, half))))


def box(latitude: float, longitude: float, metres: float) -> Box:
    """Return bounds within which all lies that is at most so many metres away, and a little more.

    >>> box(90, 0, 1000).west is None, box(0, 180, 1000).west is None
    (True, True)
    """
    reach = metres + 2  # distances are floored
    angle = degrees(reach / RADIUS)
    south, north = latitude - angle, latitude + angle
    if south <= -90 or north >= 90 or reach >= pi * RADIUS / 2:
        return Box(south, north, None, None)
    wide = degrees(asin(min(1.0, sin(radians(angle)) / cos(radians(latitude))))) + 1e-9
    west, east = longitude - wide, longitude + wide
    if west < -180 or east > 180:
        return Box(south, north, None, None)
    return Box(south, north, west, east)
