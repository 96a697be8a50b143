"""JSON Patch. https://www.rfc-editor.org/rfc/rfc6902"""

from decimal import Decimal

import pytest

from fhir_server.errors import BadRequest, TooLarge, Unprocessable
from fhir_server.interactions.jsonpatch import apply, pointer, same

# RFC 6902, Appendix A: document, patch, result.
APPENDIX = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    (
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    (
        {"foo": ["bar", "qux", "baz"]},
        [{"op": "remove", "path": "/foo/1"}],
        {"foo": ["bar", "baz"]},
    ),
    (
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": 1, "xyz": 2}],
        {"foo": "bar", "baz": 1},
    ),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    (
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
    ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1], "b": [1]}),
    ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
]


@pytest.mark.parametrize(("document", "patch", "result"), APPENDIX)
def test_the_examples_of_the_rfc(document, patch, result):
    assert apply(document, patch) == result


@pytest.mark.parametrize(
    ("document", "operation"),
    [
        ({"baz": "qux"}, {"op": "test", "path": "/baz", "value": "bar"}),
        ({"foo": "bar"}, {"op": "add", "path": "/baz/bat", "value": "qux"}),
        ({"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": "10"}),
        ({"a": [1]}, {"op": "remove", "path": "/a/1"}),
        ({"a": [1]}, {"op": "remove", "path": "/a/-"}),
        ({"a": [1]}, {"op": "add", "path": "/a/2", "value": 1}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/01"}),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a", "path": "/a/b"}),
        ({"a": 1}, {"op": "replace", "path": "/b", "value": 1}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": True}),
    ],
)
def test_what_cannot_be_applied_is_unprocessable(document, operation):
    with pytest.raises(Unprocessable):
        apply(document, [operation])


@pytest.mark.parametrize(
    "patch",
    [
        {},
        [1],
        [{}],
        [{"op": "spam", "path": "/a"}],
        [{"op": "add", "path": "/a"}],
        [{"op": "move", "path": "/a"}],
        [{"op": "remove", "path": "a"}],
        [{"op": "remove", "path": "/~2"}],
        [{"op": "remove", "path": 7}],
    ],
)
def test_what_is_no_patch_is_a_bad_request(patch):
    with pytest.raises(BadRequest):
        apply({"a": 1}, patch)


def test_the_document_is_not_touched():
    document = {"a": [1, {"b": 2}]}

    apply(document, [{"op": "remove", "path": "/a/1/b"}, {"op": "add", "path": "/a/-", "value": 3}])

    assert document == {"a": [1, {"b": 2}]}


def test_digits_are_kept():
    patched = apply({"a": Decimal("1.00")}, [{"op": "copy", "from": "/a", "path": "/b"}])

    assert str(patched["b"]) == "1.00"


def test_copies_of_copies_are_bounded():
    double = {"op": "copy", "from": "", "path": "/a"}

    with pytest.raises(TooLarge):
        apply({"x": 1, "y": 2}, [double, {**double, "path": "/b"}] * 20)


def test_too_many_operations_are_refused():
    with pytest.raises(TooLarge):
        apply({}, [{"op": "test", "path": "", "value": {}}] * 1001)


def test_numbers_are_equal_by_value():
    assert same(Decimal("1.0"), 1)


def test_the_empty_pointer_is_the_document():
    assert pointer("") == ()
