"""Small linked worlds, and questions about them."""

import random

from hypothesis import strategies as st

from fhir_server.model import NO_TEXT, Entry, Key, Sort, Text, Value, Write
from fhir_server.search.contained import entries_of
from fhir_server.search.near import NEARBY
from fhir_server.search.tree import (
    EVERYTHING,
    NOW,
    And,
    Chain,
    Cond,
    Contained,
    ForEachPatient,
    Has,
    Ids,
    InPatient,
    Match,
    Near,
    Node,
    Not,
    OnlyPatients,
    Or,
    Together,
    Updated,
    Words,
)
from fhir_server.search.words import BREAK, kept

TYPES = ("Patient", "Observation", "grant")
IDS = ("a", "b", "c", "d", "e")
PEOPLE = ("a", "b", "c")
CODES = ("x", "y", "xy", "")
SYSTEMS = ("", "http://s", "http://t")
HIGH = "\U0010ffff"
MIXED: tuple[Value, ...] = (*range(-1, 13, 3), 2.5, 2.0, "x", "y", "xyz", "é", "\ud7ff", HIGH, "2")

SAID = ("high", "血压高", "高血压", "high 血", f"a a a{BREAK}b", "b a", "highest")
PLACES = ((0.0, 0.0), (31.2, 121.5), (31.3, 121.6), (0.0, 179.99), (0.0, -179.99), (90.0, 5.0))
AWAY = (0.0, 1.0, 15_000.0, NEARBY, 9e6, 3e7)

types = st.sampled_from(TYPES)
_ids = st.sampled_from(IDS)
_refs = st.builds(lambda type, id: f"{type}/{id}", types, _ids)
_values = st.sampled_from(MIXED)
_codes = st.sampled_from(CODES)
_systems = st.sampled_from(SYSTEMS)
_people = st.frozensets(st.sampled_from(PEOPLE), max_size=3)
_orders = st.sampled_from(("=", "<", "<=", ">", ">="))

_urls = st.sampled_from(("u", "v"))
_versions = st.sampled_from(("", "1", "2"))
_groups = st.integers(0, 2)
_recipients = st.sampled_from(("r", "s"))

entries = st.one_of(
    st.tuples(_codes, _systems).map(lambda t: Entry("code", *t)),
    _refs.map(lambda ref: Entry("ref", ref)),
    st.tuples(_urls, _versions).map(lambda t: Entry("to", *t)),
    _urls.map(lambda url: Entry("url", url)),
    _versions.map(lambda version: Entry("version", version)),
    st.tuples(st.integers(0, 12), st.integers(0, 4)).map(lambda t: Entry("date", t[0], sum(t))),
    _recipients.map(lambda recipient: Entry("recipient", recipient)),
    _values.map(lambda v: Entry("mixed", v)),
    _values.map(lambda v: Entry("mixed", v, path="#1")),
    st.sampled_from(("#1", "#2")).map(lambda ref: Entry("ref", ref)),
    st.tuples(_values, _groups).map(lambda t: Entry("both.0", t[0], group=t[1])),
    st.tuples(_codes, _systems, _groups).map(lambda t: Entry("both.1", t[0], u=t[1], group=t[2])),
    st.sampled_from(PLACES).map(lambda place: Entry("near", *place)),
)
_held = st.builds(
    lambda type, id, said: tuple(entries_of(type, id, said)),
    st.sampled_from(("grant", "Patient")),
    st.sampled_from(("1", "2")),
    st.lists(entries.filter(lambda entry: not entry.path), max_size=4),
)
held = st.just(()) | st.lists(_held, max_size=3).map(lambda some: sum(some, ()))
"""What the contained resources of a record say."""
_texts = st.lists(st.sampled_from(SAID), max_size=3).map(lambda some: kept(BREAK.join(some)))
texts = st.just(NO_TEXT) | st.builds(Text, st.just("") | _texts, _texts)


def _write(
    key: Key, own: list[Entry], inside: tuple[Entry, ...], patients: frozenset[str], text: Text
) -> Write:
    found = [*own, *inside]
    body = f'{{"{key}":{len(found)}}}'.encode()
    return Write(key, body, tuple(found), tuple(found[:2]), tuple(sorted(patients)), text=text)


keys = st.builds(Key, types, _ids)
writes = st.one_of(
    st.builds(_write, keys, st.lists(entries, max_size=6), held, _people, texts),
    st.builds(_write, keys, st.lists(entries, min_size=3, max_size=6), held, _people, texts),
    keys.map(lambda key: Write(key, None, method="DELETE")),
)
worlds = st.lists(writes, min_size=5, max_size=24)

_lists = st.one_of(
    st.lists(_values, max_size=4).map(tuple),
    st.lists(_codes, max_size=3).map(tuple),
    st.just((*range(40), "x", "2")),
)
_cond = st.one_of(
    st.builds(
        Cond, st.sampled_from("vvvwu"), _orders, st.one_of(_values, _codes, _refs, st.just(NOW))
    ),
    st.builds(
        Cond,
        st.sampled_from("vw"),
        st.sampled_from(("prefix", "contains", "suffix")),
        st.sampled_from(("", "x", "xy", "http", "\ud7ff", HIGH)),
    ),
    st.builds(Cond, st.sampled_from("vw"), st.just("in"), _lists),
)
_conds = st.lists(_cond, max_size=2).map(tuple)
_matches = st.one_of(
    st.builds(Match, st.sampled_from(("code", "ref", "date", "mixed", "none")), _conds),
    st.builds(lambda v: Match("code", (Cond("v", "=", v),)), _codes),
    st.builds(lambda v, w: Match("code", (Cond("v", "=", v), Cond("w", "=", w))), _codes, _systems),
    st.builds(
        lambda a, b: Match("date", (Cond("v", "<", b), Cond("w", ">", a))),
        st.integers(0, 12),
        st.integers(0, 12),
    ),
)
_scopes = st.sampled_from(("text", "content"))
words = st.one_of(
    st.builds(
        Words,
        _scopes,
        st.lists(st.sampled_from(("high", "a", "b", "血压", "压", "高")), max_size=3).map(tuple),
    ),
    st.builds(Words, _scopes, st.sampled_from((("高",), ("a", "a"), ("hi",))), st.just(True)),
)
nears = st.builds(
    lambda place, away: Near("near", *place, away), st.sampled_from(PLACES), st.sampled_from(AWAY)
)
_leaves = st.one_of(
    _matches,
    words,
    nears,
    st.builds(Together, st.just("both"), st.lists(_conds, max_size=2).map(tuple)),
    st.builds(Ids, st.frozensets(_ids, max_size=3)),
    st.builds(lambda op, v: Updated((Cond("v", op, v),)), _orders, st.integers(0, 40)),
    st.builds(InPatient, st.sampled_from((*PEOPLE, "nobody"))),
    st.builds(OnlyPatients, _people),
)


def _without_joins(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(st.builds(And, some), st.builds(Or, some), st.builds(Not, inner))


def _with_joins(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    params = st.sampled_from(("ref", "ref", "code"))
    return st.one_of(
        _without_joins(inner),
        st.builds(Chain, params, types, inner),
        st.builds(Has, types, params, inner),
        st.builds(Chain, st.just("to"), types, inner, st.just(True)),
        st.builds(Has, types, st.just("to"), inner, st.just(True)),
    )


_said = _matches | st.builds(Together, st.just("both"), st.lists(_conds, max_size=2).map(tuple))
_contained = st.builds(
    Contained,
    st.sampled_from(("grant", "Patient")),
    st.recursive(_said, _without_joins, max_leaves=4),
    st.sampled_from(("", "", "ref")),
)
_recipient = st.one_of(
    _recipients.map(lambda one: Match("recipient", (Cond("v", "=", one),))),
    st.just(Match("recipient", (Cond("v", "in", ("r", "s")),))),
)
_timed = st.builds(
    lambda op: Match("date", (Cond("v", op, NOW),)), st.sampled_from(("<", "<=", ">", ">="))
)
_given = st.builds(
    lambda *nodes: And(nodes), _recipient, _timed, _timed | _matches, _matches | st.just(EVERYTHING)
)
"""What authorization asks of grants."""
_grants = st.one_of(
    st.builds(ForEachPatient, types, st.recursive(_matches, _without_joins, max_leaves=3)),
    st.builds(ForEachPatient, st.just("grant"), _given),
    st.builds(Has, st.just("grant"), st.just("ref"), _given),
)
trees: st.SearchStrategy[Node] = st.recursive(
    _leaves | _grants | _contained, _with_joins, max_leaves=8
)
_UNTOLD = Not(Match("none"))
_GIVEN = Match("recipient", (Cond("v", "=", "r"),))
_BEGUN = Match("date", (Cond("v", "<=", NOW),))


def _permitted(granted: Node) -> Node:
    """What an institution sees: its own, what grants name, and that of patients who granted it."""
    own = Match("code", (Cond("v", "=", "y"),))
    return Or(
        (own, Has("grant", "ref", And((_GIVEN, Match("code", (Cond("v", "=", "x"),))))), granted)
    )


QUESTIONS: tuple[Node, ...] = (
    EVERYTHING,
    Match("mixed"),
    Match("code", (Cond("v", "in", CODES),)),
    Match("mixed", (Cond("v", ">", 2),)),
    Match("mixed", (Cond("v", "<=", "xyz"),)),
    Match("mixed", (Cond("v", ">=", 0), Cond("v", "<", 7))),
    Match("date", (Cond("v", "<", NOW),)),
    Updated((Cond("v", ">", 5),)),
    Together("both", ((Cond("v", ">", 2),), (Cond("v", "prefix", "x"),))),
    Or((Match("ref"), Match("code", (Cond("v", "=", "x"),)))),
    Or((OnlyPatients(frozenset(PEOPLE)), Match("code", (Cond("v", "=", "y"),)))),
    Or((Has("Observation", "ref", EVERYTHING), ForEachPatient("grant", Match("date")))),
    And((_UNTOLD, ForEachPatient("grant", EVERYTHING))),
    And((_UNTOLD, _permitted(ForEachPatient("grant", And((_GIVEN, _BEGUN)))))),
    _permitted(And((ForEachPatient("grant", _GIVEN), Match("mixed", (Cond("v", ">", 2),))))),
    And((OnlyPatients(frozenset(PEOPLE)), Match("date"))),
    Or(
        (
            Match("code", (Cond("v", "=", "x"),)),
            Match("code", (Cond("v", "=", "y"), Cond("w", "=", ""))),
        )
    ),
    InPatient("a"),
    ForEachPatient("grant", Match("code", (Cond("v", "=", "x"),))),
    Contained("grant", Match("code", (Cond("v", "=", "x"),))),
    Contained("grant", And((Match("code", (Cond("v", "=", "x"),)), Not(Match("mixed"))))),
    Or((Chain("ref", "grant", Match("code")), Contained("grant", Match("code"), "ref"))),
    Chain("ref", "Observation", _UNTOLD),
    Chain("ref", "grant", _UNTOLD),
    Has("Observation", "ref", _UNTOLD),
    Has("grant", "ref", Match("mixed")),
    Chain("to", "grant", _UNTOLD, canonical=True),
    Chain("to", "Observation", Match("mixed", (Cond("v", ">", 2),)), canonical=True),
    Has("grant", "to", _UNTOLD, canonical=True),
    And((Not(Has("grant", "to", Match("date"), canonical=True)), Match("url"))),
    And((Match("code"), Not(Chain("ref", "Observation", Match("date"))))),
    Chain("ref", "grant", Has("Observation", "ref", OnlyPatients(frozenset(PEOPLE)))),
    Words("content", ("血压",)),
    Words("text", ("a", "a")),
    Or((Words("content", ("高",), begins=True), Words("text", ("b",)))),
    And((Words("content", ("high",)), Match("code", (Cond("v", "in", CODES),)))),
    Not(Words("text")),
    Near("near", 31.2, 121.5, 15_000.0),
    Near("near", 0.0, 180.0, 2_000.0),
    Chain("ref", "Observation", Words("content", ("血压",))),
)


def rich(chance: random.Random) -> list[Write]:
    """Return the writes of a hundred records with many equal values; some are deleted again."""
    found, own = [], random.Random(11)
    for n in range(100):
        few = (chance.randrange(3) for _ in iter(int, 1))
        entries = [Entry("code", chance.choice(CODES), chance.choice(SYSTEMS))]
        entries += [Entry("mixed", chance.choice(MIXED)) for _ in range(next(few))]
        entries += [Entry("mixed", chance.choice(MIXED), path="#1") for _ in range(next(few))]
        entries += [Entry("date", chance.randrange(12)) for _ in range(next(few))]
        entries += [Entry("recipient", ("r", "s", "r")[n % 3])]
        entries += [Entry("to", f"u{n % 7}", ("", "1", "2")[n % 3]), Entry("url", f"u{n % 5}")]
        entries += [Entry("version", each) for each in ("", "1", "2", "12")[n % 4]]
        entries += [Entry("both.0", chance.choice(MIXED), group=next(few)) for _ in range(2)]
        entries += [Entry("both.1", chance.choice(CODES), group=next(few)) for _ in range(2)]
        entries += [
            Entry("ref", f"{chance.choice(TYPES)}/{chance.randrange(100)}")
            for _ in range(next(few) + 1)
        ]
        for id in chance.sample(("1", "2"), next(few)):
            entries.append(Entry("ref", f"#{id}"))
            said = [Entry("code", chance.choice(CODES))]
            said += [Entry("mixed", chance.choice(MIXED)) for _ in range(next(few))]
            entries += entries_of("grant", id, said)
        patients = chance.sample(PEOPLE, chance.choice((0, 1, 1, 1, 1, 2)))
        entries += [Entry("near", *own.choice(PLACES)) for _ in range(own.randrange(3))]
        said = [kept(BREAK.join(own.choices(SAID, k=own.randrange(3)))) for _ in range(2)]
        key = Key(chance.choice(("Observation", "Observation", "grant")), str(n))
        write = Write(key, b"{}", tuple(entries), patients=tuple(patients), text=Text(*said))
        found.append(write)
    return found + [Write(write.key, None) for write in found[::6]]


_measures = st.lists(words, min_size=1, max_size=2) | st.lists(nears, min_size=1, max_size=2)
sorts = st.lists(
    st.builds(
        Sort,
        st.sampled_from(("code", "date", "mixed", "none", "_id", "_lastUpdated")),
        st.booleans(),
    )
    | st.builds(Sort, st.just("measured"), st.booleans(), _measures.map(tuple)),
    max_size=2,
).map(tuple)
