"""https://www.rfc-editor.org/rfc/rfc7396#appendix-A"""

import pytest

from fhir_server.errors import BadRequest
from fhir_server.interactions.mergepatch import apply


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_examples_of_the_rfc(document, patch, expected):
    before = repr(document)

    assert apply(document, patch) == expected
    assert repr(document) == before


@pytest.mark.parametrize("patch", [["c"], None, "bar", 1])
def test_a_patch_that_would_replace_the_resource_is_none(patch):
    with pytest.raises(BadRequest):
        apply({"a": "b"}, patch)
