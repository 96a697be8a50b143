"""The searches that are measured ask for what the population has."""

from fhir_server.bench.population import FEW, RARE, patients, resources
from fhir_server.bench.shapes import SHAPES

_SIZE = 2000


def test_the_population_is_the_same_each_time() -> None:
    assert list(resources(50)) == list(resources(50))


def test_ids_occur_once() -> None:
    names = [(each["resourceType"], each["id"]) for each in resources(_SIZE)]

    assert len(set(names)) == len(names)


def test_a_rare_code_does_not_grow_with_the_population() -> None:
    codes = [
        each
        for each in resources(_SIZE)
        if each["resourceType"] == "Observation" and each["code"]["coding"][0]["code"] == RARE
    ]

    assert 0 < len(codes) <= FEW


def test_a_hub_finds_something_in_each_shape(make_hub) -> None:
    hub = make_hub("memory://")
    hub.put_in(*resources(_SIZE))
    for shape in SHAPES:
        answers = [hub.get(shape.path(turn, patients(_SIZE))[1:]) for turn in range(5)]
        found = [answer.json() for answer in answers]
        assert [answer.status_code for answer in answers] == [200] * 5, shape
        assert any("entry" in each or each["resourceType"] != "Bundle" for each in found), shape
