"""https://hl7.org/fhir/R4/fhirpatch.html"""

import copy
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.errors import BadRequest, TooLarge, Unprocessable
from fhir_server.interactions.fhirpathpatch import apply
from fhir_server.interactions.places import marked, unmarked

NAMES = [{"family": "Li", "given": ["A", "B"]}, {"given": ["C"]}]
PATIENT = {"resourceType": "Patient", "id": "a", "active": True, "name": NAMES}


def part(name, value):
    match value:
        case dict():
            return {"name": name} | value
        case int():
            return {"name": name, "valueInteger": value}
        case _:
            return {"name": name, "valueCode" if name == "type" else "valueString": value}


def operation(**parts):
    return {"name": "operation", "part": [part(*each) for each in parts.items()]}


def parameters(*operations):
    return {"resourceType": "Parameters", "parameter": list(operations)}


@pytest.fixture
def patch(definitions):
    def run(*operations, on=PATIENT):
        before = copy.deepcopy(on)
        after = apply(definitions, on, parameters(*operations))
        assert on == before
        return after

    return run


def text(value):
    return {"valueString": value}


@pytest.mark.parametrize(
    ("asked", "changed"),
    [
        (
            {"type": "add", "path": "Patient", "name": "birthDate", "value": {"valueDate": "1930"}},
            {"birthDate": "1930"},
        ),
        (
            {
                "type": "add",
                "path": "Patient",
                "name": "name",
                "value": {"valueHumanName": {"text": "x"}},
            },
            {"name": [*NAMES, {"text": "x"}]},
        ),
        (
            {"type": "add", "path": "Patient.name[0]", "name": "given", "value": text("Z")},
            {"name": [{"family": "Li", "given": ["A", "B", "Z"]}, NAMES[1]]},
        ),
        (
            {
                "type": "add",
                "path": "Patient",
                "name": "deceased[x]",
                "value": {"valueBoolean": True},
            },
            {"deceasedBoolean": True},
        ),
        (
            {
                "type": "add",
                "path": "Patient",
                "name": "contact",
                "value": {
                    "part": [
                        {"name": "name", "valueHumanName": {"text": "n"}},
                        {"name": "gender", "valueCode": "male"},
                    ]
                },
            },
            {"contact": [{"name": {"text": "n"}, "gender": "male"}]},
        ),
        (
            {"type": "insert", "path": "Patient.name[0].given", "index": 1, "value": text("X")},
            {"name": [{"family": "Li", "given": ["A", "X", "B"]}, NAMES[1]]},
        ),
        (
            {
                "type": "insert",
                "path": "Patient.name",
                "index": 2,
                "value": {"valueHumanName": {"text": "x"}},
            },
            {"name": [*NAMES, {"text": "x"}]},
        ),
        (
            {
                "type": "insert",
                "path": "Patient.photo",
                "index": 0,
                "value": {"valueAttachment": {"url": "u"}},
            },
            {"photo": [{"url": "u"}]},
        ),
        ({"type": "delete", "path": "Patient.gender"}, {}),
        ({"type": "delete", "path": "Patient.name[0]"}, {"name": [NAMES[1]]}),
        (
            {"type": "delete", "path": "Patient.name.given.where($this = 'A')"},
            {"name": [{"family": "Li", "given": ["B"]}, NAMES[1]]},
        ),
        ({"type": "delete", "path": "Patient.name[1].given"}, {"name": [NAMES[0]]}),
        (
            {"type": "replace", "path": "Patient.active", "value": {"valueBoolean": False}},
            {"active": False},
        ),
        (
            {
                "type": "replace",
                "path": "Patient.name.where(family = 'Li').given.last()",
                "value": text("Z"),
            },
            {"name": [{"family": "Li", "given": ["A", "Z"]}, NAMES[1]]},
        ),
        (
            {"type": "move", "path": "Patient.name", "source": 1, "destination": 0},
            {"name": NAMES[::-1]},
        ),
        (
            {"type": "move", "path": "Patient.name[0].given", "source": 0, "destination": 1},
            {"name": [{"family": "Li", "given": ["B", "A"]}, NAMES[1]]},
        ),
    ],
)
def test_operations(patch, asked, changed):
    assert patch(operation(**asked)) == PATIENT | changed


def test_a_boolean_is_deleted(patch):
    assert patch(operation(type="delete", path="Patient.active")) == {
        "resourceType": "Patient",
        "id": "a",
        "name": NAMES,
    }


def test_a_choice_changes_its_type(patch):
    before = PATIENT | {"deceasedBoolean": True}
    asked = operation(type="replace", path="Patient.deceased", value={"valueDateTime": "2020"})

    after = patch(asked, on=before)

    assert after == PATIENT | {"deceasedDateTime": "2020"}


def test_an_extension_goes_beside_a_primitive(patch):
    value = {"valueExtension": {"url": "u", "valueString": "x"}}
    asked = operation(type="add", path="Patient.active", name="extension", value=value)

    assert patch(asked) == PATIENT | {"_active": {"extension": [{"url": "u", "valueString": "x"}]}}


def test_what_stands_beside_primitives_moves_with_them(patch):
    beside = {"extension": [{"url": "u", "valueString": "x"}]}
    before = PATIENT | {"name": [{"given": ["A", "B"], "_given": [beside, None]}]}

    after = patch(
        operation(type="move", path="Patient.name.given", source=0, destination=1), on=before
    )

    assert after["name"] == [{"given": ["B", "A"], "_given": [None, beside]}]


def test_operations_are_done_in_order(patch):
    """ "The operations are processed in order"; each sees what those before it did."""
    after = patch(
        operation(type="add", path="Patient", name="birthDate", value={"valueDate": "1930"}),
        operation(type="replace", path="Patient.birthDate", value={"valueDate": "1931"}),
        operation(
            type="add", path="Patient", name="identifier", value={"valueIdentifier": {"value": "1"}}
        ),
        operation(type="replace", path="Patient.identifier[0].value", value=text("2")),
    )

    assert after == PATIENT | {"birthDate": "1931", "identifier": [{"value": "2"}]}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (
            {"type": "add", "path": "Patient", "name": "active", "value": {"valueBoolean": False}},
            Unprocessable,
        ),
        (
            {"type": "add", "path": "Patient.name", "name": "text", "value": text("x")},
            Unprocessable,
        ),
        ({"type": "add", "path": "Patient", "name": "nose", "value": text("x")}, Unprocessable),
        ({"type": "add", "path": "Patient", "name": "deceased", "value": text("x")}, Unprocessable),
        (
            {"type": "insert", "path": "Patient.name", "index": 3, "value": {"valueHumanName": {}}},
            Unprocessable,
        ),
        (
            {
                "type": "insert",
                "path": "Patient.active",
                "index": 0,
                "value": {"valueBoolean": True},
            },
            Unprocessable,
        ),
        ({"type": "delete", "path": "Patient.name"}, Unprocessable),
        ({"type": "delete", "path": "Patient"}, Unprocessable),
        ({"type": "delete", "path": "Patient.name.count()"}, Unprocessable),
        (
            {"type": "replace", "path": "Patient.gender", "value": {"valueCode": "male"}},
            Unprocessable,
        ),
        (
            {"type": "replace", "path": "Patient.name", "value": {"valueHumanName": {}}},
            Unprocessable,
        ),
        ({"type": "replace", "path": "Patient.nose", "value": text("x")}, Unprocessable),
        ({"type": "move", "path": "Patient.name", "source": 2, "destination": 0}, Unprocessable),
        ({"type": "move", "path": "Patient.name", "source": 0, "destination": 2}, Unprocessable),
        ({"type": "replace", "path": "Patient.(", "value": text("x")}, BadRequest),
        ({"type": "delete", "path": "Patient.name.where(family.matches('(a+)+$'))"}, BadRequest),
        ({"type": "delete", "path": "Patient.descendants()"}, BadRequest),
        ({"type": "delete", "path": f"Patient.name{'.first()' * 200}"}, BadRequest),
        ({"type": "delete"}, BadRequest),
        ({"type": "explode", "path": "Patient"}, BadRequest),
        ({"type": "add", "path": "Patient", "name": "gender"}, BadRequest),
        (
            {"type": "add", "path": "Patient", "name": "gender", "value": {"valueNothing": 1}},
            BadRequest,
        ),
        ({"type": "insert", "path": "Patient.name", "value": text("x")}, BadRequest),
        ({"type": "insert", "path": "Patient.name", "index": -1, "value": text("x")}, BadRequest),
    ],
)
def test_what_cannot_be_done_tells_which_operation_it_was(patch, asked, error):
    good = operation(type="delete", path="Patient.gender")

    with pytest.raises(error) as caught:
        patch(good, operation(**asked))

    assert [issue.expression for issue in caught.value.issues] == ["Parameters.parameter[1]"]


@pytest.mark.parametrize(
    "patch",
    [
        [],
        {"resourceType": "Patient"},
        parameters() | {"parameter": {}},
        parameters({"name": "other"}),
        parameters(1),
        parameters({"name": "operation"}),
        parameters({"name": "operation", "part": [1]}),
        parameters({"name": "operation", "part": [{"name": "path"}, {"name": "path"}]}),
    ],
)
def test_what_is_no_patch_is_a_bad_request(definitions, patch):
    with pytest.raises(BadRequest):
        apply(definitions, PATIENT, patch)


def test_too_many_operations_are_too_large(definitions):
    with pytest.raises(TooLarge):
        apply(definitions, PATIENT, parameters(*[{}] * 1001))


def test_a_primitive_is_no_name(definitions):
    patch = parameters(operation(type="replace", path="name.first()", value=text("x")))

    with pytest.raises(Unprocessable, match="name is HumanName, not string"):
        apply(definitions, PATIENT, patch)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "part", "valueString", "a"]), inner, max_size=3)
    ),
    max_leaves=10,
)
PATHS = st.sampled_from(
    ["Patient", "Patient.name", "Patient.name[0].given", "Patient.active", "name.first()", "1", ""]
)
OPERATIONS = st.fixed_dictionaries(
    {"type": st.sampled_from(["add", "insert", "delete", "replace", "move"]), "path": PATHS},
    optional={
        "name": st.sampled_from(["given", "name", "extension", "deceased", "contact"]),
        "index": st.integers(-1, 3),
        "source": st.integers(-1, 3),
        "destination": st.integers(-1, 3),
        "value": st.sampled_from(
            [text("x"), {"valueBoolean": True}, {"part": []}, {"part": 1}, {"resource": {}}, {}]
        )
        | st.dictionaries(st.sampled_from(["valueString", "part", "_valueString"]), JSON),
    },
)


@given(st.lists(OPERATIONS.map(lambda parts: operation(**parts)) | JSON, max_size=4))
@settings(max_examples=300, deadline=None)
def test_nonsense_is_refused_in_words(definitions, operations):
    with suppress(BadRequest, Unprocessable, TooLarge):
        assert apply(definitions, PATIENT, parameters(*operations)) is not None


@given(
    st.recursive(
        st.booleans() | st.integers() | st.text(min_size=1),
        lambda inner: (
            st.dictionaries(st.sampled_from("abc"), inner, min_size=1)
            | st.lists(st.dictionaries(st.sampled_from("ab"), inner, min_size=1), min_size=1)
        ),
    )
)
def test_marks_come_off_again(value):
    assert unmarked(marked(value)) == value
