"""Locations around a place, over HTTP, on each store. https://hl7.org/fhir/R4/location.html#search"""

import pytest

PLACES = {
    "east": (31.23, 121.50),
    "west": (31.20, 121.44),
    "far": (39.90, 116.40),
    "dateline": (0.0, -179.99),
    "pole": (89.99, 10.0),
}


@pytest.fixture
def written(hub):
    for id, (latitude, longitude) in PLACES.items():
        position = {"latitude": latitude, "longitude": longitude}
        hub.put_in({"resourceType": "Location", "id": id, "name": id, "position": position})
    hub.put_in(
        {"resourceType": "Location", "id": "nowhere", "name": "nowhere"},
        {
            "resourceType": "HealthcareService",
            "id": "care",
            "location": [{"reference": "Location/west"}],
        },
    )
    return hub


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("near=31.23|121.50|1|km", ["east"]),
        ("near=31.23|121.50|0", ["east"]),
        ("near=31.23|121.50|10000|m", ["east", "west"]),
        ("near=31.23|121.50", ["east", "west"]),
        ("near=31.23|121.50|3|[mi_i]", ["east"]),
        ("near=0|179.99|3", ["dateline"]),
        ("near=90|-100|2", ["pole"]),
        ("near=31.23|121.50|30000", ["dateline", "east", "far", "pole", "west"]),
        ("near=31.23|121.50|1,39.9|116.4|1", ["east", "far"]),
        ("near=31.23|121.50&name=west", ["west"]),
        ("near:missing=true", ["nowhere"]),
        ("near:missing=false&name=east", ["east"]),
    ],
)
def test_what_is_near_is_found(written, query, expected):
    assert sorted(written.ids(f"Location?{query}")) == [f"Location/{id}" for id in expected]


def test_the_nearest_comes_first_with_its_distance(written):
    entries = written.get("Location?near=31.23|121.5|2000&_sort=near").json()["entry"]

    assert [entry["resource"]["id"] for entry in entries] == ["east", "west", "far"]
    assert entries[1]["search"] == {
        "mode": "match",
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/location-distance",
                "valueDistance": {
                    "value": 6.609,
                    "unit": "km",
                    "system": "http://unitsofmeasure.org",
                    "code": "km",
                },
            }
        ],
    }


def test_pages_by_distance_hold_each_match_once(written):
    url, found = "Location?near=31.23|121.5|30000&_sort=-near&_count=2", []
    while url:
        page = written.get(url).json()
        found += [entry["resource"]["id"] for entry in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)

    assert found == ["dateline", "pole", "far", "west", "east"]


def test_services_at_a_near_location_are_found(written):
    found = written.ids("HealthcareService?location.near=31.23|121.5|10")

    assert found == ["HealthcareService/care"]


@pytest.mark.parametrize("query", ["near=x", "near=1|2|3|4|5", "near:exact=1|2", "_sort=near"])
def test_what_cannot_be_read_is_refused(hub, query):
    assert hub.get(f"Location?{query}").status_code == 400
