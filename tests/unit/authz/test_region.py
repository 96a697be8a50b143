"""Regions: narrow ones lie within what is meant, wide ones around it."""

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.authz.grant import Clause
from fhir_server.authz.region import Region, cover, join, meet

codes = st.lists(
    st.tuples(st.just("s"), st.sampled_from(("a", "ab", "b")), st.booleans()), max_size=2
).map(tuple)
types = st.lists(st.sampled_from(("X", "Y")), max_size=2, unique=True).map(tuple)
regions = st.lists(st.builds(Clause, types=types, codes=codes), max_size=2).map(tuple)
records = st.tuples(st.sampled_from(("X", "Y")), st.frozensets(st.sampled_from(("a", "ab", "c"))))


def bears(own: frozenset[str], code: str, exact: bool) -> bool:
    return any(each == code if exact else each.startswith(code) for each in own)


def inside(record: tuple[str, frozenset[str]], region: Region) -> bool:
    type, own = record
    return any(
        (not clause.types or type in clause.types)
        and (not clause.codes or any(bears(own, code, exact) for _, code, exact in clause.codes))
        for clause in region
    )


@given(regions, regions, records)
def test_a_meet_lies_within_both(
    left: Region, right: Region, record: tuple[str, frozenset[str]]
) -> None:
    assert not inside(record, meet(left, right)) or (inside(record, left) and inside(record, right))


@given(regions, regions, records)
def test_a_cover_holds_all_that_is_in_both_and_nothing_outside_the_second(
    left: Region, right: Region, record: tuple[str, frozenset[str]]
) -> None:
    covered = inside(record, cover(left, right))

    assert covered or not (inside(record, left) and inside(record, right))
    assert inside(record, right) or not covered


@given(regions, regions, records)
def test_a_join_is_the_union(
    left: Region, right: Region, record: tuple[str, frozenset[str]]
) -> None:
    assert inside(record, join(left, right)) == (inside(record, left) or inside(record, right))


@given(types, types, records)
def test_a_meet_of_types_is_exact(
    left: tuple[str, ...], right: tuple[str, ...], record: tuple[str, frozenset[str]]
) -> None:
    one, two = (Clause(types=left),), (Clause(types=right),)

    assert inside(record, meet(one, two)) == (inside(record, one) and inside(record, two))
