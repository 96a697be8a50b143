"""Whatever parses is evaluated, or is an error told in words."""

from typing import Any

from fhirpath_tables import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.definitions import load
from conformance.fhirpath import FHIRPathError
from conformance.fhirpath.expression import compile_with
from conformance.fhirpath.functions import FUNCTIONS
from conformance.fhirpath.lexer import tokenize
from conformance.fhirpath.model import Model
from conformance.fhirpath.parser import BINDING

MODEL = Model(load())

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "1"}], "text": "x"},
    "effectiveDateTime": "2020-02-01T10:00:00+08:00",
    "issued": "2020-02-01T10:00:00Z",
    "valueQuantity": {
        "value": 7,
        "unit": "mg",
        "code": "mg",
        "system": "http://unitsofmeasure.org",
    },
    "_status": {"extension": [{"url": "http://x", "valueInteger": 3}]},
    "subject": {"reference": "Patient/1"},
    "component": [{"valueString": "a"}, {"valueInteger": 5}, {"valueRange": {"low": {"value": 1}}}],
}

LITERALS = st.sampled_from(
    """{} true 1 -1 0 1.50 99999999999999999999 0.000000001 '' 'a' '(' '1_wk' 1_'mg' 1_'x' 2_years
    3_days 1_'[degF]' 0_'Cel' @2020 @2020-02-30 @2020-02-29 @T10:30 @9999-12
    @2020-01-01T10:00:00.5+08:00 $this $index $total %resource %context %ucum %`vs-x`
    %none""".replace("\n", " ").split()
).map(lambda text: text.replace("_", " "))
NAMES = st.sampled_from(
    """code value status component subject effective issued extension id Observation Patient
    Resource nothing coding low `div`""".split()  # noqa: SIM905 - a table, meant to be read
)
TYPES = st.sampled_from(["Quantity", "string", "System.String", "FHIR.code", "Integer", "Foo"])
CALLS = st.sampled_from([*FUNCTIONS, "sort", "foo"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from([name for name in BINDING if name not in ("is", "as")])
    arguments = st.lists(inner, max_size=3).map(", ".join)
    return st.one_of(
        st.tuples(inner, operator, inner).map(lambda each: f"({' '.join(each)})"),
        st.tuples(inner, CALLS, arguments).map(lambda each: f"{each[0]}.{each[1]}({each[2]})"),
        st.tuples(inner, NAMES).map(".".join),
        st.tuples(inner, inner).map(lambda each: f"{each[0]}[{each[1]}]"),
        st.tuples(inner, st.sampled_from(["is", "as"]), TYPES).map(lambda e: f"({' '.join(e)})"),
        st.tuples(inner, TYPES).map(lambda each: f"{each[0]}.ofType({each[1]})"),
        inner.map(lambda each: f"-{each}"),
    )


def evaluated(expression: str, resource: dict[str, Any]) -> None:
    try:
        compiled = compile_with(MODEL, expression, ["Observation"])
        found = compiled(resource, now=NOW)
    except FHIRPathError:
        return
    assert all(isinstance(kind, str) for kind, _ in found)
    if compiled.types is not None and found:
        assert compiled.types


@settings(max_examples=400, deadline=None)
@given(st.recursive(st.one_of(LITERALS, NAMES), grown, max_leaves=8))
def test_any_expression_has_a_result_or_an_error(expression: str) -> None:
    evaluated(expression, OBSERVATION)


@settings(deadline=None)
@given(st.recursive(st.one_of(LITERALS, NAMES), grown, max_leaves=5), st.data())
def test_any_expression_on_malformed_json_has_a_result_or_an_error(
    expression: str, data: st.DataObject
) -> None:
    odd = st.sampled_from([None, True, 1, "x", [], {}, [None], [{}], {"value": "x"}, [[1]]])
    name = data.draw(st.sampled_from([*OBSERVATION, "_component", "_value", "contained"]))
    if name != "resourceType":
        evaluated(expression, OBSERVATION | {name: data.draw(odd)})


@given(st.text(max_size=30))
def test_any_text_is_tokens_or_an_error(text: str) -> None:
    try:
        tokens = tokenize(text)
    except FHIRPathError:
        return
    assert tokens[-1].kind == "end"


@given(st.text("()[]{}.,'`%$@ab1+-*/|&<>=~ \"\\", max_size=20))
def test_any_text_of_symbols_is_an_expression_or_an_error(text: str) -> None:
    evaluated(text, OBSERVATION)
