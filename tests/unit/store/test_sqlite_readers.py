"""What one turn of the event loop reads is of one moment of the file."""

import asyncio
from collections.abc import Callable

from fhir_server.model import Key, Query, Write
from fhir_server.search.tree import EVERYTHING
from fhir_server.store.sqlite.store import SQLiteStore

With = Callable[..., None]
Make = Callable[..., Write]
BASIC = Key("Basic", "1")


def test_reads_and_searches_of_one_turn_share_a_transaction(with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        told: list[str] = []
        await store.read(BASIC)
        await asyncio.sleep(0)
        store._readers.connection().set_trace_callback(told.append)
        await store.read(BASIC)
        await store.vids([BASIC])
        await store.search(Query("Basic", EVERYTHING))
        await asyncio.sleep(0)
        await store.read(BASIC)

        around = [each for each in told if not each.startswith(("SELECT", "--"))]
        assert around == ["BEGIN", "ROLLBACK", "BEGIN"]

    with_store(body)


def test_the_next_turn_sees_what_another_process_wrote(
    path: str, with_store: With, basic: Make
) -> None:
    async def body(store: SQLiteStore) -> None:
        other = SQLiteStore(path, lambda: 1000)
        before = await store.vids([BASIC])
        await other.commit([basic("1")])
        after = await store.vids([BASIC])
        await other.close()

        assert (before, after) == ((0,), (1,))

    with_store(body)


def test_a_loop_that_ended_amid_its_turn_holds_no_moment(path: str, basic: Make) -> None:
    store = SQLiteStore(path, lambda: 1000)
    loop = asyncio.new_event_loop()
    before = loop.create_task(store.vids([BASIC]))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()

    async def later() -> tuple[int, ...]:
        await store.commit([basic("1")])
        after = await store.vids([BASIC])
        await store.close()
        return after

    assert (before.result(), asyncio.run(later())) == ((0,), (1,))


def test_a_store_may_be_closed_in_the_turn_that_reads_it(with_store: With) -> None:
    async def body(store: SQLiteStore) -> None:
        await asyncio.gather(store.close(), store.read(BASIC))
        await asyncio.sleep(0)

    with_store(body)
