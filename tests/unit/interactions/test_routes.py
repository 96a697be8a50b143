"""https://hl7.org/fhir/R4/http.html#summary"""

import pytest

from fhir_server.errors import BadRequest, NotAllowed, NotFound
from fhir_server.interactions.routes import allowed, route
from fhir_server.model import Key

TYPES = frozenset({"Patient", "Observation"})


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "Patient/1", "read"),
        ("HEAD", "Patient/1", "read"),
        ("GET", "Patient/1/_history/2", "vread"),
        ("GET", "Patient/1/_history", "history-instance"),
        ("GET", "Patient/_history", "history-type"),
        ("GET", "_history", "history-system"),
        ("POST", "Patient", "create"),
        ("PUT", "Patient/1", "update"),
        ("PUT", "Patient", "update"),
        ("PATCH", "Patient/1", "patch"),
        ("DELETE", "Patient/1", "delete"),
        ("GET", "Patient", "search-type"),
        ("POST", "Patient/_search", "search-type"),
        ("GET", "Patient/_search", "search-type"),
        ("GET", "_search", "search-system"),
        ("GET", "Patient/1/Observation", "search-compartment"),
        ("GET", "Patient/1/*", "search-compartment"),
        ("POST", "Patient/1/Observation/_search", "search-compartment"),
        ("GET", "", "search-system"),
        ("POST", "", "batch"),
        ("GET", "metadata", "capabilities"),
        ("POST", "$x", "operation"),
        ("GET", "Patient/$x", "operation"),
        ("POST", "Patient/1/$x", "operation"),
    ],
)
def test_method_and_path_name_the_interaction(method, path, name):
    assert route(method, path, TYPES).name == name


def test_a_vread_has_type_id_and_version():
    ask = route("GET", "Patient/a-1/_history/3", TYPES)

    assert (ask.type, ask.id, ask.vid) == ("Patient", "a-1", 3)


def test_a_compartment_search_has_the_compartment_and_the_type():
    ask = route("GET", "Patient/1/Observation", TYPES)

    assert (ask.type, ask.id, ask.compartment) == ("Observation", "", Key("Patient", "1"))


def test_an_operation_on_an_instance_has_its_name():
    ask = route("POST", "Patient/1/$everything", TYPES)

    assert (ask.type, ask.id, ask.operation, ask.safe) == ("Patient", "1", "everything", False)


def test_an_operation_by_get_is_safe():
    assert route("GET", "$x", TYPES).safe


@pytest.mark.parametrize(
    "path",
    ["patient/1", "account/1", "Foo", "Patient/1/Foo", "Patient/1/2", "Patient/1/_history/2/3"],
)
def test_what_is_nowhere_is_not_found(path):
    with pytest.raises(NotFound):
        route("GET", path, TYPES)


@pytest.mark.parametrize("vid", ["0", "x", "-1", "1.0", "9" * 30])
def test_a_version_that_is_no_number_is_not_found(vid):
    with pytest.raises(NotFound):
        route("GET", f"Patient/1/_history/{vid}", TYPES)


@pytest.mark.parametrize("id", ["a_b", "é", "x" * 65, "a b"])
def test_an_id_that_cannot_be_one_is_a_bad_request(id):
    with pytest.raises(BadRequest):
        route("GET", f"Patient/{id}", TYPES)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "Patient/1"), ("PUT", ""), ("TRACE", "Patient")]
)
def test_a_method_that_is_not_for_the_place_is_not_allowed(method, path):
    with pytest.raises(NotAllowed):
        route(method, path, TYPES)


def test_the_methods_of_a_place_are_told():
    assert allowed("Patient/1", TYPES) == "GET, HEAD, PUT, PATCH, DELETE"
