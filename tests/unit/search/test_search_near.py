"""Searches around a place. https://hl7.org/fhir/R4/location.html#search"""

from decimal import Decimal
from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.model import Entry, Key
from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.near import NEARBY, around, entries, near
from fhir_server.search.position import RADIUS, box, distance
from fhir_server.search.tree import Match, Near

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("31.2|121.5", NEARBY),
        ("31.2|121.5||", NEARBY),
        ("31.2|121.5||km", NEARBY),
        ("31.2|121.5|5", 5000),
        ("31.2|121.5|5|", 5000),
        ("31.2|121.5|500|m", 500),
        ("31.2|121.5|1|[mi_i]", 1609.344),
        ("31.2|121.5|0", 0),
    ],
)
def test_distance_is_in_kilometres_unless_a_unit_says_otherwise(text, metres):
    assert near("near", text) == Near("near", 31.2, 121.5, metres)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "31",
        "31.2:121.5",
        "a|b",
        "91|0",
        "-90.1|0",
        "0|181",
        "nan|0",
        "0|inf",
        "0|0|-1",
        "0|0|x",
        "0|0|1e999",
        "0|0|1|kg",
        "0|0|1|nothing",
        "0|0|1|1|1",
    ],
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        near("near", text)


@pytest.mark.parametrize(
    ("one", "other", "kilometres"),
    [
        ((0, 0), (0, 0), 0),
        ((0, 179.9), (0, -179.9), 22.2),
        ((90, 0), (90, 123), 0),
        ((90, 0), (-90, 0), 20015.1),
        ((31.2304, 121.4737), (39.9042, 116.4074), 1067.3),
    ],
)
def test_distance_on_the_ball(one, other, kilometres):
    assert distance(*one, *other) / 1000 == pytest.approx(kilometres, abs=0.1)


@given(latitudes, longitudes, latitudes, longitudes, st.floats(0, 2.1e7))
def test_the_box_holds_all_that_is_near(latitude, longitude, other, meridian, metres):
    place = Near("near", latitude, longitude, metres)
    record = Plain(Key("Location", "l"), 0, (Entry("near", other, meridian),), ())

    if distance(latitude, longitude, other, meridian) <= metres:
        assert evaluate(Match("near", around(place)), record)


@given(latitudes, longitudes, st.floats(0, 1), st.floats(0, 2 * pi))
def test_the_box_is_not_much_wider_than_what_is_near(latitude, longitude, far, angle):
    south, north, _, _ = box(latitude, longitude, far * 1e6)

    assert (north - south) * pi / 180 * RADIUS <= 2 * far * 1e6 + 10


@pytest.mark.parametrize(
    "position",
    [
        None,
        "x",
        {},
        {"latitude": Decimal(5)},
        {"latitude": "a", "longitude": "b"},
        {"latitude": Decimal(91), "longitude": Decimal(0)},
    ],
)
def test_what_is_no_place_on_the_earth_is_not_indexed(position):
    assert list(entries("near", "", position)) == []


def test_a_position_is_indexed_with_its_latitude_first(extractor):
    position = {"latitude": Decimal("31.2"), "longitude": Decimal("121.5")}
    found = extractor.entries({"resourceType": "Location", "position": position})

    assert found == (Entry("near", 31.2, 121.5),)


def test_a_position_in_floats_is_found() -> None:
    """Resources that the hub itself makes may hold them; those that are sent hold decimals."""
    made = entries("near", "BackboneElement", {"latitude": 31.2, "longitude": 121.5})

    assert [(entry.v, entry.w) for entry in made] == [(31.2, 121.5)]
