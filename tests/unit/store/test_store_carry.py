"""A copy that is not what its source is, is found out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import pytest

from fhir_server.model import Entry, Key, Line, Text, Version
from fhir_server.store import carry
from fhir_server.store.open import open_store

A, B = Entry("code", "a", "urn:s"), Entry("code", "b", "urn:s")
PAIR = (Entry("both.0", 1, group=1), Entry("both.1", 2, group=1))
OTHER_PAIR = (Entry("both.0", 3, group=2), Entry("both.1", 4, group=2))
LINES = (
    Line(1, Version(Key("Basic", "1"), 1, 10, b"1")),
    Line(2, Version(Key("Basic", "2"), 1, 20, b"2"), (A, *PAIR, *OTHER_PAIR), Text("words")),
    Line(3, Version(Key("Basic", "1"), 2, 30, None), ()),
)


@dataclass(frozen=True)
class Given:
    """A source of some lines."""

    lines: Sequence[Line]

    async def export(self, after: int = 0) -> AsyncIterator[Line]:
        """Yield those behind a number."""
        for line in self.lines:
            if line.seq > after:
                yield line


def compared(source: Sequence[Line], target: Sequence[Line]) -> carry.Compared:
    """Compare two."""
    return asyncio.run(carry.compare(Given(source), Given(target)))


def changed(line: Line, **said: object) -> Line:
    """Return a line whose version says something else."""
    return replace(line, version=replace(line.version, **said))


def test_the_same_are_the_same() -> None:
    found = compared(LINES, LINES)

    assert found.is_same
    assert (found.sum.versions["Basic"], found.sum.records["Basic"], found.sum.last) == (3, 2, 3)


@pytest.mark.parametrize(
    "said",
    [
        {"body": b"x"},
        {"updated": 11},
        {"vid": 2},
        {"key": Key("Basic", "9")},
        {"method": "POST"},
        {"auth": (A,)},
        {"patients": ("p",)},
    ],
)
def test_another_version_is_noticed(said: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="source and target differ: Basic/1 version 1"):
        compared(LINES, (changed(LINES[0], **said), *LINES[1:]))


@pytest.mark.parametrize(
    "entries",
    [
        (A, *PAIR),
        (B, *PAIR, *OTHER_PAIR),
        (A, A, *PAIR, *OTHER_PAIR),
        (A, PAIR[0], OTHER_PAIR[1], *(e._replace(group=3) for e in (OTHER_PAIR[0], PAIR[1]))),
        (A._replace(path="#1"), *PAIR, *OTHER_PAIR),
    ],
)
def test_other_entries_are_noticed(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(ValueError, match="find by other index entries: Basic/2"):
        compared(LINES, (LINES[0], replace(LINES[1], entries=entries), LINES[2]))


def test_other_words_are_noticed() -> None:
    with pytest.raises(ValueError, match="find by other index entries: Basic/2"):
        compared(LINES, (LINES[0], replace(LINES[1], text=Text("others")), LINES[2]))


def test_the_order_of_entries_and_the_numbers_of_groups_say_nothing() -> None:
    turned = tuple(e._replace(group=3 - e.group if e.group else 0) for e in (*OTHER_PAIR, *PAIR, A))

    assert compared(LINES, (LINES[0], replace(LINES[1], entries=turned), LINES[2])).is_same


def test_a_version_too_many_is_noticed() -> None:
    with pytest.raises(ValueError, match="the source lacks: Basic/1 version 2"):
        compared(LINES[:2], LINES)


def test_what_the_source_has_got_meanwhile_is_counted() -> None:
    before = (replace(LINES[0], entries=(A,)), LINES[1])
    found = compared(LINES, before)

    assert (found.lacking, found.replaced, found.is_same) == (1, 1, False)


def test_a_target_of_another_source_is_noticed() -> None:
    async def run() -> None:
        target = open_store("memory://", lambda: 0)
        await carry.fill(target, Given(LINES[:2]).export())
        other = (LINES[0], changed(LINES[1], key=Key("Basic", "9")))
        with pytest.raises(ValueError, match="not a beginning of the source"):
            await carry.begun(Given(other), target)
        with pytest.raises(ValueError, match="not a beginning of the source"):
            await carry.begun(Given(LINES[:1]), target)
        assert await carry.begun(Given(LINES), target) == 2

    asyncio.run(run())


def test_a_target_that_makes_something_else_is_noticed() -> None:
    """As one would whose last version is from a later time."""

    async def run() -> None:
        target = open_store("memory://", lambda: 0)
        await carry.fill(target, Given([changed(LINES[0], updated=99)]).export())
        with pytest.raises(ValueError, match="not as the source was before: Basic/1 version 2"):
            await carry.fill(target, Given(LINES[2:]).export())

    asyncio.run(run())
