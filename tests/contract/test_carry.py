"""What a store holds goes to any other, and into an archive and back, and nothing of it changes."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.errors import PreconditionFailed
from fhir_server.model import Change, Entry, History, Key, Line, Version, Write
from fhir_server.store import carry
from fhir_server.store.archive import Archive, write
from fhir_server.store.mongo import schema as mongo_schema
from fhir_server.store.open import Kept, open_store
from tests.contract import worlds
from tests.mongod import Mongo

KEY = bytes(range(32))
Urls = Callable[[str, str], str]


@pytest.fixture(scope="session")
def urls(mongo: Mongo) -> Urls:
    """The URL of an empty store of a kind, under a name that tells two of one kind apart."""

    def url(kind: str, folder: str) -> str:
        match kind:
            case "memory":
                return "memory://"
            case "sqlite":
                return f"sqlite:///{folder}/hub.db"
        name = f"carry{kind[-1]}"
        with mongo.server.client() as client:
            client[name]["meta"].delete_one({"_id": mongo_schema.FILLING})
        return mongo.url(name)

    return url


KINDS = ("memory", "sqlite", "mongodb1")
PAIRS = [
    ("memory", "sqlite"),
    ("memory", "mongodb1"),
    ("sqlite", "mongodb1"),
    ("mongodb1", "sqlite"),
    ("sqlite", "memory"),
    ("mongodb1", "memory"),
    ("mongodb1", "mongodb2"),
]


@asynccontextmanager
async def filled(url: str, world: Sequence[Write]) -> AsyncIterator[Kept]:
    """A store with a world in it, written at times that are not in the order of the commits."""
    clock = [0]
    store = open_store(url, lambda: clock[0])
    try:
        for number, each in enumerate(world):
            clock[0] = 1000 + number * 7 % 40
            await store.commit([each])
        yield store
    finally:
        await store.close()


async def everything(store: Kept) -> tuple[list[Change], list[Version], list[Version]]:
    """Return what a store can be asked of all that it holds."""
    past = await store.history(History(frozenset(worlds.TYPES), limit=1000))
    living = sorted([v async for v in store.scan()], key=lambda v: v.key)
    return await store.changes(0, 1000), past, living


@pytest.mark.parametrize("kind", KINDS)
@given(world=worlds.worlds)
@settings(max_examples=25, deadline=None)
def test_an_export_is_the_feed_with_what_was_written(
    urls: Urls, kind: str, world: list[Write]
) -> None:
    async def run() -> None:
        with TemporaryDirectory() as folder:
            async with filled(urls(kind, folder), world) as store:
                lines = [line async for line in store.export()]
                expected = [
                    Line(change.seq, version)
                    for change in await store.changes(0, 1000)
                    if (version := await store.read(change.key, change.vid))
                ]
                latest = {line.version.key: line.seq for line in lines}

                assert [Line(line.seq, line.version) for line in lines] == expected
                assert all(
                    (line.entries is not None) == (latest[line.version.key] == line.seq)
                    for line in lines
                )

    asyncio.run(run())


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(world=worlds.worlds)
@settings(max_examples=15, deadline=None)
def test_a_copy_answers_as_its_source(
    urls: Urls, source: str, target: str, world: list[Write]
) -> None:
    async def run() -> None:
        with TemporaryDirectory() as one, TemporaryDirectory() as other:
            async with filled(urls(source, one), world) as given_store:
                url = urls(target, other)
                kept = open_store(url, lambda: 5_000_000, fill=True)
                await carry.fill(kept, given_store.export())
                compared = await carry.compare(given_store, kept)
                await kept.filled()

                assert compared.is_same
                assert await everything(kept) == await everything(given_store)
                assert await kept.check() == []
                await kept.close()

    asyncio.run(run())


@pytest.mark.parametrize("key", [None, KEY])
@given(world=worlds.worlds, again=st.sampled_from(("sqlite", "memory")))
@settings(max_examples=15, deadline=None)
def test_an_archive_gives_back_what_it_was_given(
    urls: Urls, key: bytes | None, world: list[Write], again: str
) -> None:
    async def run() -> None:
        with TemporaryDirectory() as one, TemporaryDirectory() as other:
            async with filled(urls("sqlite", one), world) as store:
                file = io.BytesIO()
                manifest = await write(file, store.export(), key, 0, "1")
                path = Path(other) / "a.hub"
                path.write_bytes(file.getvalue())
                archive = Archive(path, key)

                assert await archive.manifest() == manifest
                lines = [line async for line in archive.export()]
                assert lines == [line async for line in store.export()]

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_meanwhile_is_in_the_export_whole(
    urls: Urls, kind: str, tmp_path: Path
) -> None:
    """Whatever came between two pieces, the last line of each record tells what it is found by."""

    async def run() -> None:
        store = open_store(urls(kind, str(tmp_path)), lambda: 1)
        keys = [Key("Basic", str(n)) for n in range(1200)]
        await store.commit([Write(key, b"1", (Entry("turn", 1),)) for key in keys])
        lines: list[Line] = []
        async for line in store.export():
            if len(lines) in (100, 700, 1250):
                some = keys[:: len(lines)]
                await store.commit([Write(key, b"2", (Entry("turn", 2),)) for key in some])
            lines.append(line)
        found = {line.version.key: line for line in lines}
        for key, line in found.items():
            latest = await store.read(key)
            assert latest == line.version
            assert line.entries == (Entry("turn", int(line.version.body or b"")),)
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["sqlite", "mongodb1"])
def test_a_store_that_is_being_filled_is_opened_by_nobody_else(
    urls: Urls, kind: str, tmp_path: Path
) -> None:
    async def run() -> None:
        url = urls(kind, str(tmp_path))
        store = open_store(url, lambda: 0, fill=True)
        await store.commit([Write(Key("Basic", "1"), b"{}")])
        with pytest.raises(ValueError, match="is not whole"):
            open_store(url, lambda: 0)
        again = open_store(url, lambda: 0, fill=True)
        await again.filled()
        await again.close()
        await store.close()
        with pytest.raises(ValueError, match="holds records already"):
            open_store(url, lambda: 0, fill=True)
        await open_store(url, lambda: 0).close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["sqlite", "mongodb1"])
def test_a_copy_goes_on_where_it_stopped(urls: Urls, kind: str, tmp_path: Path) -> None:
    async def run() -> None:
        source = open_store("memory://", lambda: 7)
        for number in range(30):
            await source.commit([Write(Key("Basic", str(number % 9)), b"%d" % number)])
        target = open_store(urls(kind, str(tmp_path)), lambda: 0, fill=True)
        lines = [line async for line in source.export()]
        await carry.fill(target, _given(lines[:17]))

        at = await carry.begun(source, target)
        await carry.fill(target, source.export(at))

        assert at == 17
        assert (await carry.compare(source, target)).is_same
        await target.close()

    asyncio.run(run())


async def _given(lines: Sequence[Line]) -> AsyncIterator[Line]:
    for line in lines:
        yield line


@pytest.mark.parametrize("kind", KINDS)
def test_two_that_fill_the_same_store_do_no_harm(urls: Urls, kind: str, tmp_path: Path) -> None:
    """The slower one is told, and has written nothing."""

    async def run() -> None:
        source = open_store("memory://", lambda: 7)
        for number in range(9):
            await source.commit([Write(Key("Basic", str(number % 4)), b"%d" % number)])
        target = open_store(urls(kind, str(tmp_path)), lambda: 0, fill=True)
        lines = [line async for line in source.export()]
        await carry.fill(target, _given(lines[:5]))
        with pytest.raises(PreconditionFailed):
            await carry.fill(target, _given(lines[3:7]))
        await carry.fill(target, _given(lines[5:]))

        assert (await carry.compare(source, target)).is_same
        await target.close()

    asyncio.run(run())
