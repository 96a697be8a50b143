"""Many alternatives that are quick to ask mean what they mean one by one."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.model import NO_TEXT, Entry, Key, Text
from fhir_server.search.bounds import before, comparisons, interval
from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.oneof import cover
from fhir_server.search.overlap import overlapped
from fhir_server.search.simplify import FEW, hastened, simplified
from fhir_server.search.tree import And, Cond, Match, Node, Not, OneOf, Or, Updated, Words

NUMBERS = st.integers(0, 40) | st.sampled_from((2.5, 7.25))
TEXTS = st.sampled_from(("", "a", "ab", "abc", "b", "ba", "c", "\ud7ff", "é"))
VALUES = NUMBERS | TEXTS
COMPARED = st.builds(Cond, st.just("v"), st.sampled_from(("=", "<", "<=", ">", ">=")), VALUES)
CONDS = COMPARED | st.builds(
    Cond, st.just("v"), st.sampled_from(("prefix", "contains", "suffix")), TEXTS
)


def _on(column: str, conds: st.SearchStrategy[Cond]) -> st.SearchStrategy[Cond]:
    return conds.map(lambda cond: cond._replace(column=column))


SPANS = st.tuples(NUMBERS, NUMBERS, st.sampled_from("=<>[")).map(lambda each: _span(*each))


def _span(one: float, other: float, kind: str) -> tuple[Cond, ...]:
    low, high = sorted((one, other))
    match kind:
        case "=":
            return Cond("v", ">=", low), Cond("v", "<", high), Cond("w", "<=", high)
        case "<":
            return Cond("v", "<", high), Cond("w", ">", low)
        case ">":
            return Cond("v", ">", high), Cond("w", "<", low)
        case _:
            return Cond("v", ">=", low), Cond("v", "<=", high), Cond("w", ">=", low)


CHOICES = st.one_of(
    SPANS,
    CONDS.map(lambda cond: (cond,)),
    st.lists(CONDS | _on("w", CONDS) | _on("u", CONDS), max_size=3).map(tuple),
)
LISTS = st.lists(CHOICES, min_size=FEW + 1, max_size=60)
ROWS = st.builds(Entry, st.just("p"), VALUES, VALUES, TEXTS)


def _record(*entries: Entry, text: Text = NO_TEXT) -> Plain:
    return Plain(Key("Basic", "1"), 7, entries, (), text)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LISTS | st.lists(SPANS, min_size=FEW + 1, max_size=60), st.lists(ROWS, max_size=3))
def test_a_list_of_comparisons(choices: list[tuple[Cond, ...]], entries: list[Entry]) -> None:
    where = Or(tuple(Match("p", conds) for conds in choices))
    record = _record(*entries)

    assert evaluate(simplified(where), record) == evaluate(where, record)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHOICES, max_size=8), ROWS)
def test_overlapping_alternatives(choices: list[tuple[Cond, ...]], entry: Entry) -> None:
    whole, fewer = (
        Or(tuple(Match("p", conds) for conds in some)) for some in (choices, overlapped(choices))
    )

    assert evaluate(fewer, _record(entry)) == evaluate(whole, _record(entry))
    assert len(fewer.nodes) <= len(choices)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(COMPARED, min_size=1, max_size=3), VALUES)
def test_comparisons_are_intervals(conds: list[Cond], value: float | str) -> None:
    found = interval(conds)
    assert found is not None
    low, high = found

    inside = low <= before(value) < high

    assert inside == evaluate(Match("p", tuple(conds)), _record(Entry("p", value)))
    if low < high:
        again = Match("p", comparisons("v", found))
        assert inside == evaluate(again, _record(Entry("p", value)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LISTS, VALUES)
def test_an_index_is_led_to_all_that_may_match(
    choices: list[tuple[Cond, ...]], value: float | str
) -> None:
    listed = simplified(Or(tuple(Match("p", conds) for conds in choices)))
    if not isinstance(listed, OneOf) or not (found := cover(listed)):
        return
    record = _record(Entry("p", value, value, ""))

    assert any(low <= before(value) < high for low, high in found) or not evaluate(listed, record)


WORDS = st.builds(
    Words,
    st.sampled_from(("text", "content")),
    st.lists(st.sampled_from(("a", "b", "ab", "压")), max_size=2).map(tuple),
)
SAID = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=1, max_size=2).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=2).map(tuple)),
    ),
    max_leaves=3,
)
TEXT = st.sampled_from(("", " a ", " a b ", " ab 压 ", " b b a "))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SAID, min_size=FEW + 1, max_size=30), st.builds(Text, TEXT, TEXT))
def test_a_list_of_words(alternatives: list[Node], text: Text) -> None:
    where = Or(tuple(alternatives))

    assert evaluate(simplified(where), _record(text=text)) == evaluate(where, _record(text=text))


def test_thousands_of_alternatives_are_one_node() -> None:
    days = Or(tuple(Match("date", _span(n, n + 1, "=")) for n in range(5000)))

    found = simplified(days)

    assert isinstance(found, OneOf)
    assert cover(found) == [((0, 0, 0), (0, 5000, 0))]


def test_what_overlaps_becomes_one_comparison() -> None:
    since = Or(tuple(Match("date", (Cond("v", ">=", n),)) for n in range(5000)))

    assert simplified(since) == Match("date", (Cond("v", ">=", 0),))


def test_times_that_overlap_become_one() -> None:
    days = (Updated((Cond("v", ">=", n), Cond("v", "<", n + 1))) for n in range(100))

    assert simplified(Or(tuple(days))) == Updated((Cond("v", ">=", 0), Cond("v", "<", 100)))


def test_many_negations_are_one() -> None:
    where = And(tuple(Not(Match("code", (Cond("v", "=", f"c{n}"),))) for n in range(100)))

    listed = Cond("v", "in", tuple(f"c{n}" for n in range(100)))
    assert simplified(where) == Not(Match("code", (listed,)))


def test_a_long_list_of_values_is_quick_to_ask_in_memory() -> None:
    listed = Match("code", (Cond("v", "in", tuple(f"c{n}" for n in range(100))),))

    found = hastened(Not(listed))

    assert isinstance(found, Not)
    assert isinstance(found.node, OneOf)
    assert not evaluate(found, _record(Entry("code", "c7")))
