"""Hidden records never change an answer: the predicate stands on every hop."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import restrict, visible
from fhir_server.authz.scopes import VERBS, Scope
from fhir_server.model import Entry, Version
from fhir_server.search.evaluate import Plainly, authorizable, evaluate
from fhir_server.search.tree import NOTHING, And, Chain, Cond, Has, Match, Node, Not, Or
from tests.unit.authz.mutants import restrict_without

Make = Callable[..., Version]
CALLER = Caller(
    "staff",
    "liu",
    duty="physician",
    organization="clinic",
    organizations=frozenset(("clinic",)),
    scopes=(Scope("user", "*", VERBS),),
)
DARK = Match("code", (Cond("v", "=", "dark"),))


def hops(node: Node) -> int:
    match node:
        case And(nodes) | Or(nodes):
            return sum(map(hops, nodes))
        case Not(inner):
            return hops(inner)
        case Chain(_, _, where) | Has(_, _, where):
            return 1 + hops(where)
        case _:
            return 0


trees = st.recursive(
    st.just(DARK),
    lambda inner: st.one_of(
        st.builds(Chain, st.just("subject"), st.just("Patient"), inner),
        st.builds(Has, st.just("Observation"), st.just("subject"), inner),
        st.builds(Not, inner),
        st.lists(inner, min_size=1, max_size=2).map(lambda nodes: And(tuple(nodes))),
        st.lists(inner, min_size=1, max_size=2).map(lambda nodes: Or(tuple(nodes))),
    ),
    max_leaves=5,
)


def test_a_hidden_record_is_not_reached_by_a_chain(record: Make) -> None:
    world = Plainly(
        [authorizable(record("Patient/p1", Entry("code", "dark"), Entry("_owner", "h")))]
    )
    asked = authorizable(record("Observation/1", Entry("subject", "Patient/p1")))
    chain = Chain("subject", "Patient", DARK)

    assert evaluate(chain, asked, world)
    assert not evaluate(restrict(chain, CALLER), asked, world)


@given(trees)
def test_every_hop_is_joined_with_the_predicate_of_its_target(tree: Node) -> None:
    def check(node: Node) -> None:
        match node:
            case And(nodes) | Or(nodes):
                for each in nodes:
                    check(each)
            case Not(inner):
                check(inner)
            case Chain(_, type, where) | Has(type, _, where) if type != "grant":
                joined = where.nodes if isinstance(where, And) else (where,)
                assert visible(CALLER, type) in joined

    check(restrict(tree, CALLER))


@given(trees, st.integers(0, 4))
def test_the_mutant_forgets_one_hop_and_no_more(tree: Node, number: int) -> None:
    differs = restrict_without(number)(tree, CALLER) != restrict(tree, CALLER)

    assert differs == (number < hops(tree))


def test_a_type_that_may_not_be_searched_hides_all_of_it() -> None:
    caller = replace(CALLER, scopes=(Scope("user", "Observation", "rs"),))

    assert restrict(Chain("subject", "Patient", DARK), caller) == Chain(
        "subject", "Patient", NOTHING
    )


def test_internal_records_are_not_reached_by_a_hop() -> None:
    assert restrict(Has("grant", "resource", DARK), CALLER) == Has("grant", "resource", NOTHING)
