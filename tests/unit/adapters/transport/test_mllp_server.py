"""The rules at the top of adapters/transport/server.py, on real sockets of this machine."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from adapters.transport.mllp import Decoder, Frame, encode
from adapters.transport.server import Limits, Listener


@asynccontextmanager
async def _listening(handle, **limits):
    listener = Listener(handle, Limits(**limits))
    port = await listener.start("127.0.0.1", 0)
    try:
        yield listener, port
    finally:
        await listener.close()


@asynccontextmanager
async def _connected(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _echo(content, peer):
    return b"to " + peer.encode() + b": " + content


async def _frames(reader, count):
    decoder, found = Decoder(), []
    while len(found) < count:
        data = await reader.read(1024)
        if not data:
            break
        found += [event.content for event in decoder.feed(data) if isinstance(event, Frame)]
    return found


def _run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def test_frames_are_answered_in_their_order():
    async def play():
        async with _listening(_echo) as (_, port), _connected(port) as (reader, writer):
            writer.write(encode(b"one") + b"noise" + encode(b"two"))
            return await _frames(reader, 2)

    assert _run(play()) == [b"to 127.0.0.1: one", b"to 127.0.0.1: two"]


def test_silence_is_no_answer():
    async def silent(content, peer):
        return content if content == b"two" else None

    async def play():
        async with _listening(silent) as (_, port), _connected(port) as (reader, writer):
            writer.write(encode(b"one") + encode(b"two"))
            return await _frames(reader, 1)

    assert _run(play()) == [b"two"]


@pytest.mark.parametrize(
    ("sent", "limits"),
    [
        (b"", {"idle": 0.01}),
        (b"\x0bhalf", {"frame": 0.01}),
        (encode(b"123456"), {"largest": 5}),
    ],
)
def test_connection_ends_at_its_limits(sent, limits):
    async def play():
        async with _listening(_echo, **limits) as (_, port), _connected(port) as (reader, writer):
            writer.write(sent)
            return await reader.read()

    assert _run(play()) == b""


def test_connection_beyond_the_limit_is_closed():
    async def play():
        async with (
            _listening(_echo, connections=1) as (_, port),
            _connected(port) as (first, to_first),
            _connected(port) as (second, _),
        ):
            to_first.write(encode(b"one"))
            return await _frames(first, 1), await second.read()

    assert _run(play()) == ([b"to 127.0.0.1: one"], b"")


def test_answer_under_way_is_finished_on_closing():
    async def play():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(content, peer):
            begun.set()
            await go_on.wait()
            return content

        async with _listening(slow) as (listener, port), _connected(port) as (reader, writer):
            writer.write(encode(b"one"))
            await begun.wait()
            closing = asyncio.ensure_future(listener.close())
            await asyncio.sleep(0)
            go_on.set()
            await closing
            return await _frames(reader, 1)

    assert _run(play()) == [b"one"]


def test_connections_are_counted():
    counts = []

    async def play():
        listener = Listener(_echo, opened=counts.append)
        port = await listener.start("127.0.0.1", 0)
        async with _connected(port) as (reader, writer):
            writer.write(encode(b"one"))
            await _frames(reader, 1)
        await listener.close()

    _run(play())
    assert counts == [1, -1]


def test_what_was_sent_before_closing_is_answered():
    """Sent, but not read yet: the sender cannot know."""

    async def play():
        async with _listening(_echo) as (listener, port), _connected(port) as (reader, writer):
            writer.write(encode(b"one"))
            await _frames(reader, 1)
            closing = asyncio.ensure_future(listener.close())
            await asyncio.sleep(0)
            writer.write(encode(b"two"))
            await closing
            return await _frames(reader, 1)

    assert _run(play()) == [b"to 127.0.0.1: two"]


def test_half_a_frame_is_read_to_its_end_on_closing():
    async def play():
        limits = {"farewell": 0.05, "grace": 5.0}
        async with (
            _listening(_echo, **limits) as (listener, port),
            _connected(port) as (reader, writer),
        ):
            whole = encode(b"one")
            writer.write(whole[:3])
            await asyncio.sleep(0.05)
            closing = asyncio.ensure_future(listener.close())
            await asyncio.sleep(0.2)
            writer.write(whole[3:])
            await closing
            return await _frames(reader, 1)

    assert _run(play()) == [b"to 127.0.0.1: one"]


def test_silent_connections_end_on_closing():
    async def play():
        async with (
            _listening(_echo, farewell=0.05, grace=30.0) as (listener, port),
            _connected(port) as (reader, _),
        ):
            await listener.close()
            return await reader.read()

    assert _run(play()) == b""
