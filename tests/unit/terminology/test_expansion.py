"""What a value set means. https://hl7.org/fhir/R4/valueset.html#compositions"""

import pytest

from conformance.valuesets import matcher
from terminology.concepts import ConceptTree
from terminology.errors import Missing, TerminologyError, TooCostly
from terminology.expansion import Expansion
from terminology.extent import Part


class Given:
    """Sources made by hand."""

    def __init__(self, sets, systems):
        self.sets, self.systems = sets, systems

    def value_set(self, canonical):
        return self.sets.get(canonical)

    def code_system(self, canonical):
        return self.systems.get(canonical)

    def tree(self, canonical, system):
        return ConceptTree(system)


SYSTEMS = {
    "s": {
        "content": "complete",
        "concept": [
            {"code": "a", "property": [{"code": "inactive", "valueBoolean": True}]},
            {"code": "b", "property": [{"code": "status", "valueCode": "retired"}]},
            {"code": "c", "display": "Sea"},
        ],
    },
    "s|1": {"content": "complete", "concept": [{"code": "old"}]},
}


def expand(compose, sets=(), most=100, **more):
    sources = Given({"v": {"compose": compose, **more}, **dict(sets)}, SYSTEMS)
    return Expansion(sources, matcher, most).of("v")


def codes(extent):
    return {system: list(part.codes) for system, part in extent.items()}


def test_inactive_codes_are_left_out_where_the_composition_says_so():
    include = [{"system": "s"}]

    assert codes(expand({"include": include})) == {"s": ["a", "b", "c"]}
    assert codes(expand({"include": include, "inactive": False})) == {"s": ["c"]}


def test_a_version_of_the_system_is_that_one():
    assert codes(expand({"include": [{"system": "s", "version": "1"}]})) == {"s": ["old"]}


def test_a_filter_by_display():
    sea = {"property": "display", "op": "regex", "value": "S.*"}

    assert codes(expand({"include": [{"system": "s", "filter": [sea]}]})) == {"s": ["c"]}


def test_a_system_without_content_is_meant_as_a_whole():
    assert expand({"include": [{"system": "none"}]}) == {"none": Part({}, True)}


def test_what_is_left_out_of_the_whole_is_named():
    found = expand(
        {"include": [{"system": "n"}], "exclude": [{"system": "n", "concept": [{"code": "x"}]}]}
    )

    assert found == {"n": Part({"x": None}, True)}


def test_an_intersection_with_the_whole_is_what_the_other_names():
    both = {"system": "n", "valueSet": ["w"]}
    few = {"compose": {"include": [{"system": "n", "concept": [{"code": "x"}]}]}}

    assert codes(expand({"include": [both]}, {"w": few})) == {"n": ["x"]}


def test_the_expansion_that_is_brought_counts_where_content_is_missing():
    filtered = {"system": "n", "filter": [{"property": "concept", "op": "is-a", "value": "x"}]}
    brought = {"contains": [{"abstract": True, "contains": [{"system": "n", "code": "y"}]}]}

    assert codes(expand({"include": [filtered]}, expansion=brought)) == {"n": ["y"]}


def test_a_filter_without_content_is_missing_content():
    filtered = {"system": "n", "filter": [{"property": "concept", "op": "is-a", "value": "x"}]}

    with pytest.raises(Missing, match="content of the code system n"):
        expand({"include": [filtered]})


def test_more_codes_than_allowed_are_too_costly():
    with pytest.raises(TooCostly, match="more than 2 codes"):
        expand({"include": [{"system": "s"}]}, most=2)


def test_a_circle_names_the_value_sets():
    other = {"compose": {"include": [{"valueSet": ["v"]}]}}

    with pytest.raises(TerminologyError, match="v -> w -> v"):
        expand({"include": [{"valueSet": ["w"]}]}, {"w": other})


@pytest.mark.parametrize(
    "given",
    [
        {"property": "colour", "op": "=", "value": "red"},
        {"property": "concept", "op": "nearby", "value": "a"},
        {"property": "code", "op": "regex", "value": "("},
    ],
)
def test_a_filter_that_means_nothing_is_told(given):
    with pytest.raises(TerminologyError):
        expand({"include": [{"system": "s", "filter": [given]}]})


def test_a_regular_expression_cannot_run_for_ever():
    tree = ConceptTree({"concept": [{"code": "a" * 5000}]})

    assert tree.filtered("code", "regex", "(a+)+b", matcher) == set()


def test_value_sets_far_inside_one_another_are_too_costly():
    sets = {f"v{n}": {"compose": {"include": [{"valueSet": [f"v{n + 1}"]}]}} for n in range(500)}

    with pytest.raises(TooCostly, match="in one another"):
        expand({"include": [{"valueSet": ["v0"]}]}, sets)


def test_a_contained_value_set_is_meant_by_its_id():
    inner = {"id": "i", "compose": {"include": [{"system": "n", "concept": [{"code": "x"}]}]}}

    found = expand({"include": [{"valueSet": ["#i"]}]}, contained=[inner])

    assert codes(found) == {"n": ["x"]}


def test_a_listed_code_that_the_system_does_not_have_is_not_in():
    listed = [{"code": "c"}, {"code": "z"}]

    assert codes(expand({"include": [{"system": "s", "concept": listed}]})) == {"s": ["c"]}
