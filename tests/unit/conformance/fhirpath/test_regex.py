"""Regular expressions, bounded. https://hl7.org/fhirpath/N1/#matchesregex-string--boolean"""

import re

import pytest
from fhirpath_tables import evaluate
from hypothesis import given
from hypothesis import strategies as st

from conformance.fhirpath import FHIRPathError
from conformance.fhirpath.model import Model
from conformance.fhirpath.regex import pattern

ATOMS = ["a", "b", ".", "[ab]", "[^a]", r"\w", r"\s", r"\d", r"\b", "^", "$", "(a)", "(?:b|ab)"]


def expressions() -> st.SearchStrategy[str]:
    atom = st.sampled_from(ATOMS)
    return st.recursive(
        atom,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
            st.tuples(inner, st.sampled_from(["+", "{1,3}", "{2}"])).map(
                lambda two: f"({two[0]}){two[1]}"
            ),
        ),
        max_leaves=6,
    )


@given(expressions(), st.text("ab c1\n", max_size=8))
def test_both_engines_agree(expression: str, text: str) -> None:
    compiled = pattern(expression)
    assert compiled.linear is not None

    found = next(compiled.linear.matches(text), None)

    assert (found is not None) == (compiled.native.search(text) is not None)


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [
        ("(a*)*b", "a" * 3000, False),
        ("^(a|aa)+$", "a" * 3000 + "b", False),
        (r"^(\w+\s?)*$", "word " * 500 + "!", False),
        (r"^(\w+\s?)*$", "word " * 500, True),
        ("a*a*a*a*a*b", "a" * 1000, False),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 1000, False),
    ],
)
def test_expression_that_explodes_elsewhere_is_answered(
    expression: str, text: str, expected: bool
) -> None:
    assert pattern(expression).is_in(text) is expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [("(a*)*b", "a" * 1_000_000), (r"(a+)+\1b", "a" * 100), ("((a+)+(?=b))+", "a" * 100)],
)
def test_what_takes_too_many_steps_is_an_error(expression: str, text: str) -> None:
    with pytest.raises(FHIRPathError):
        pattern(expression).is_in(text)


@pytest.mark.parametrize("expression", ["(", "[", "a{2,1}", r"\p{L}", "a" * 2001, "(?P<1>a)"])
def test_what_is_no_expression_is_an_error(expression: str) -> None:
    with pytest.raises(FHIRPathError):
        pattern(expression)


@pytest.mark.parametrize(
    ("expression", "replacement", "text"),
    [
        ("b", "<$0>", "abcb"),
        ("(a)(b)?", "$2$1", "abac"),
        ("(?<x>[a-c])", "${x}${x}", "abd"),
        ("", "-", "ab"),
        ("x", r"\1", "x"),
    ],
)
def test_both_engines_replace_alike(expression: str, replacement: str, text: str) -> None:
    plain = pattern(expression)
    nested = pattern(f"(?:{expression}){{1,1}}")
    linear = pattern(f"(?:(?:{expression}|(?:zz*)*z)){{1,1}}")

    assert linear.lengths is None
    assert nested.replace(text, replacement) == plain.replace(text, replacement)
    assert linear.replace(text, replacement) == plain.replace(text, replacement)


def test_groups_of_the_specification_s_example(model: Model) -> None:
    expression = (
        r"'11/30/1972'.replaceMatches("
        r"'\\b(?<month>\\d{1,2})/(?<day>\\d{1,2})/(?<year>\\d{2,4})\\b',"
        r" '${day}-${month}-${year}')"
    )

    assert evaluate(model, expression) == ["30-11-1972"]


def test_reference_to_no_group_is_an_error() -> None:
    with pytest.raises(FHIRPathError, match=re.escape("'$2' is not a group")):
        pattern("(a)").replace("a", "$2")
