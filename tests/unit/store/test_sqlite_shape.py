"""What queries have in common, so that a compiled statement serves them all."""

import pytest

from fhir_server.model import Query, Sort
from fhir_server.search.tree import Cond, Contained, Match, Near, Node, Words
from fhir_server.store.sqlite.shape import Shape


def _code(value: str) -> Node:
    return Match("code", (Cond("v", "=", value),))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Words("content", ("heart",)), Words("content", ("lung",))),
        (Words("text", ("he",), begins=True), Words("text", ("lu",), begins=True)),
        (Near("near", 31.2, 121.5, 1000.0), Near("near", 39.9, 116.4, 2000.0)),
        (Contained("Medication", _code("x")), Contained("Medication", _code("y"))),
    ],
)
def test_queries_that_differ_in_values_alone_have_one_shape(one: Node, other: Node) -> None:
    shapes = [Shape(Query("Observation", node)) for node in (one, other)]

    assert shapes[0].key == shapes[1].key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Words("content", ("heart",)), Words("text", ("heart",))),
        (Words("content", ("heart",)), Words("content", ("heart",), begins=True)),
        (Words("content", ("h",), begins=True), Words("content", ("heart",), begins=True)),
        (Words("content", ("a", "b")), Words("content", ("a",))),
        (Words("content"), Words("content", ("a",))),
        (Near("near", 31.2, 121.5, 1000.0), Near("near", 89.9999, 121.5, 1000.0)),
        (Contained("Medication", _code("x")), Contained("Medication", _code("x"), "medication")),
    ],
)
def test_what_is_written_differently_has_shapes_of_its_own(one: Node, other: Node) -> None:
    shapes = [Shape(Query("Observation", node)) for node in (one, other)]

    assert shapes[0].key != shapes[1].key


def test_an_order_by_relevance_has_the_shape_of_any_words() -> None:
    heart, lung = Words("content", ("heart",)), Words("content", ("lung",))
    shapes = [
        Shape(Query("Observation", node, sort=(Sort("_score", descending=True, by=(node,)),)))
        for node in (heart, lung)
    ]

    assert shapes[0].key == shapes[1].key
