"""Hidden records never change an answer: the property that the hub's authorization stands on.

World A has everything, world B lacks what the caller may not see; every interaction and every shape
of search must answer equally in both.
"""

import itertools
from dataclasses import replace

import pytest
from attack_worlds import (
    CALLERS,
    INSIDE,
    RULES,
    SEARCHES,
    START,
    WORLDS,
    World,
    answered,
    answers,
    build,
    changes,
    condition,
    encounter,
    group,
    item,
    list_of,
    observation,
    patient,
    reads,
    task,
    visible,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.authz import restrict as restricting
from fhir_server.authz.decide import Allow
from fhir_server.authz.grant import Grant
from fhir_server.interactions import (
    climb,
    containers,
    criteria,
    find,
    history,
    included,
    reach,
    search_type,
    write,
)
from fhir_server.search.tree import EVERYTHING, And, Chain, Has, Not, Or, both


@pytest.fixture(params=["memory", "sqlite", "mongodb"])
def compare(request, make_hub, tmp_path_factory):
    """Return what builds both worlds on a store and compares all answers to a caller."""

    def url():
        if request.param == "memory":
            return "memory://"
        if request.param == "mongodb":
            return request.getfixturevalue("mongo").url("worlds")
        return f"sqlite:///{tmp_path_factory.mktemp('world')}/hub.db"

    return compared(make_hub, url)


def compared(make_hub, url):
    """Return what compares the answers of both worlds, each on a store at `url()`."""

    def run(world, caller, asks):
        worlds = []
        caller = replace(caller, now=START + 10_000_000)
        for is_whole in (True, False):
            hub = make_hub(url(), {"include_limit": 2})
            hub.callers["P"] = caller
            seen = {made.key for made in world.items if visible(hub, world, caller, made)}
            hub.run(
                build(hub, world, lambda made, seen=seen, all=is_whole: all or made.key in seen)
            )
            worlds.append(hub.run(answers(hub, asks)))
            hub.close()
        for one, other in zip(*worlds, strict=True):
            assert one == other

    return run


SOME = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CALLER = st.sampled_from(sorted(CALLERS))


@SOME
@given(world=WORLDS, caller=CALLER)
def test_reads_and_searches_answer_equally(compare, world, caller):
    compare(world, CALLERS[caller], [*reads(world), *SEARCHES])


@SOME
@given(world=WORLDS, caller=CALLER.filter(lambda name: name != "feed"))
def test_changes_answer_equally(compare, world, caller):
    """A feed chooses ids, and learns from a 409 that one is taken: DECLASSIFIED says so."""
    compare(world, CALLERS[caller], changes(world))


# The property must be able to fail: a world made by hand, and the hub with one joint loosened.

WORLD = World(
    items=(
        item(patient("p1", "Li", "1", "d1"), "clinic"),
        item(patient("p2", "Wang", "1", "d2"), "hospital"),
        item(patient("p3", "Wang", "2", "d2"), "clinic"),
        item(condition("c1", "p2"), "hospital"),
        item(condition("c2", "p1", "E11"), "clinic"),
        item(condition("c3", "p3", "J45"), "hospital"),
        item(encounter("e1", "p1", "AMB", "c1"), "clinic"),
        item(encounter("e2", "p2", "IMP", "c2"), "hospital"),
        item(observation("o1", "p1", "bp", 1, "e2", "d1"), "clinic"),
        item(observation("o2", "p1", "glu", 3, "e1", "d2"), "hospital"),
        item(observation("o3", "p2", "bp", 2, "e1", INSIDE), "clinic"),
        item(observation("o9", "p2", "bp", 2, "e2", INSIDE), "hospital"),
        item(
            observation("o4", "p1", "bp", 2),
            "clinic",
            observation("o4", "p1", "glu", 3),
            deleted=True,
        ),
        item(encounter("e3", "p2", "IMP", within="e1"), "hospital"),
        item(observation("o6", "p1", "bp", 1, "e3"), "clinic"),
        item(answered("r1", "p2", "1"), "hospital"),
        item(group("g1", ("p1", "p2")), "hospital"),
        item(task("t1", "p1", "elsewhere"), "hospital"),
        item(list_of("l1", "", "Patient/p1", "Patient/p3", "Observation/o2/_history/1"), "clinic"),
        item(list_of("l2", "p2", "Patient/p2", "Observation/o2", "Condition/c2"), "hospital"),
    ),
    grants=(Grant("p1", "clinic", "Consent/1", 0, rule=RULES[1].id),),
)


REFUSED = ("not-there", "nobody/")
"""Words of the shapes that are not answered with 200."""


def test_every_shape_of_search_is_answered(make_hub):
    hub = make_hub()
    hub.callers["P"] = hub.callers["operator"]
    hub.run(build(hub, WORLD, lambda made: True))

    asks = [ask for ask in SEARCHES if not any(word in ask.path for word in REFUSED)]
    found = hub.run(answers(hub, asks))

    assert [path for _, path, pages in found if pages[0][0] != 200] == []


def test_the_world_made_by_hand_answers_equally(compare):
    compare(WORLD, CALLERS["clinic"], [*reads(WORLD), *SEARCHES, *changes(WORLD)])


def dropping(node_type, nth):
    """Return a `restrict` that forgets the predicate at the nth hop of a kind."""

    def mutant(node, caller):
        seen = itertools.count(1)

        def walk(each):
            if isinstance(each, And | Or):
                return replace(each, nodes=tuple(map(walk, each.nodes)))
            if isinstance(each, Not):
                return Not(walk(each.node))
            if not isinstance(each, Chain | Has):
                return each
            forgotten = isinstance(each, node_type) and next(seen) == nth
            here = EVERYTHING if forgotten else restricting.visible(caller, each.type)
            return replace(each, where=both(here, walk(each.where)))

        return walk(node)

    return mutant


def everything(caller, type):
    return EVERYTHING


def allow_all(caller, type, verb):
    return Allow(EVERYTHING)


async def find_all(server, caller, key, verb="read", vid=None):
    return await server.store.read(key, vid)


async def permit_all(store, caller, where, version):
    return True


async def show_all(server, caller, where, version):
    return True


@pytest.mark.parametrize(
    ("module", "name", "mutant"),
    [
        (search_type, "restrict", dropping(Chain, 1)),
        (search_type, "restrict", dropping(Chain, 2)),
        (search_type, "restrict", dropping(Has, 1)),
        (search_type, "restrict", dropping(Has, 2)),
        (reach, "allowed", allow_all),
        (reach, "visible", everything),
        (reach, "find", find_all),
        (included, "visible", everything),
        (included, "find", find_all),
        (containers, "visible", everything),
        (climb, "visible", everything),
        (criteria, "restrict", dropping(Has, 1)),
        (criteria, "allowed", allow_all),
        (find, "permits", permit_all),
        (history, "sees", show_all),
        (write, "permits", permit_all),
    ],
)
def test_a_loosened_joint_is_noticed(make_hub, monkeypatch, module, name, mutant):
    monkeypatch.setattr(module, name, mutant)

    with pytest.raises(AssertionError):
        compared(make_hub, lambda: "memory://")(
            WORLD, CALLERS["clinic"], [*reads(WORLD), *SEARCHES, *changes(WORLD)]
        )


def test_an_old_version_is_judged_by_both(make_hub):
    """An old version is visible only if both its own and the latest allow it."""
    world = World((item(observation("o1", "p2"), "hospital", observation("o1", "p1")),), ())
    hub = make_hub()
    hub.callers["P"] = CALLERS["patient"]
    hub.run(build(hub, world, lambda made: True))

    assert hub.get("Observation/o1", by="P").status_code == 200
    assert hub.get("Observation/o1/_history/1", by="P").status_code == 404
    history = hub.get("Observation/o1/_history", by="P").json()["entry"]
    assert [entry["response"]["etag"] for entry in history] == ['W/"2"']


def test_a_tombstone_is_gone_only_for_those_who_saw_it(make_hub):
    world = World((item(observation("o1", "p1"), "hospital", deleted=True),), ())
    hub = make_hub()
    hub.callers |= {"seeing": CALLERS["hospital"], "P": CALLERS["clinic"]}
    hub.run(build(hub, world, lambda made: True))

    assert hub.get("Observation/o1", by="seeing").status_code == 410
    assert hub.get("Observation/o1", by="P").status_code == 404
