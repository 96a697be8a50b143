"""Slow and endless clients, over real sockets."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from fhir_server.web import connection

STALL = 0.15
PATIENCE = 20


async def echo(scope, receive, send):
    """Answer with the length of the body, and as many bytes more as the query says."""
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    body = str(size).encode() + b"x" * int(scope["query_string"] or 0)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving():
    config = uvicorn.Config(echo, log_config=None, http=connection.Connection)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: connection.Connection(config=config, server_state=state, app_state={}),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1], state
    finally:
        server.close()
        for each in list(state.connections):
            each.transport.abort()
        await server.wait_closed()


@pytest.fixture
def talk(monkeypatch):
    """Return what runs `talk(reader, writer)` against a server and returns what it returns."""
    limits = connection._Limits(head=10_000, stall=STALL)
    monkeypatch.setattr(connection, "_limits", lambda: limits)

    def run(conversation):
        async def go():
            async with serving() as (port, _):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    return await asyncio.wait_for(conversation(reader, writer), PATIENCE)
                finally:
                    writer.close()

        return asyncio.run(go())

    return run


async def rest(reader):
    """Return what comes until the server closes; a reset is an end too."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def test_a_request_is_answered_and_the_connection_kept(talk):
    async def conversation(reader, writer):
        answers = []
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello")
            answers.append(await reader.readuntil(b"\r\n\r\n5"))
        return answers

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in talk(conversation))


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\nx-a: b\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(talk, sent):
    async def conversation(reader, writer):
        writer.write(sent)
        return await rest(reader)

    assert talk(conversation) == b""


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(talk):
    async def conversation(reader, writer):
        async def trickle():
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ")
            while True:
                writer.write(b"a")
                await asyncio.sleep(STALL / 5)

        task = asyncio.create_task(trickle())
        try:
            return await rest(reader)
        finally:
            task.cancel()

    assert talk(conversation) == b""


def test_a_head_without_end_is_refused(talk):
    async def conversation(reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")
        for number in range(30):
            writer.write(b"x-%d: %s\r\n" % (number, b"a" * 1000))
        return await rest(reader)

    answer = talk(conversation)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx\x00y: z\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_the_words_of_fhir(talk, sent):
    async def conversation(reader, writer):
        writer.write(sent)
        return await rest(reader)

    head, _, body = talk(conversation).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("sent", [b"", b"abc"])
def test_a_body_that_does_not_come_is_not_waited_for(talk, sent):
    async def conversation(reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n" + sent)
        return await rest(reader)

    assert talk(conversation) == b""


def test_a_body_that_keeps_coming_is_taken(talk):
    async def conversation(reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        for _ in range(10):
            writer.write(b"a" * 10_000)
            await asyncio.sleep(STALL / 3)
        return await reader.readuntil(b"100000")

    assert talk(conversation).startswith(b"HTTP/1.1 200")


def test_an_answer_that_is_not_taken_is_given_up(monkeypatch):
    """The server's side ends, though the client still holds its own."""
    limits = connection._Limits(head=10_000, stall=STALL)
    monkeypatch.setattr(connection, "_limits", lambda: limits)

    async def go():
        async with serving() as (port, state):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.write(b"GET /?50000000 HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readexactly(10)
            for _ in range(int(PATIENCE / 0.05)):
                if not state.connections:
                    break
                await asyncio.sleep(0.05)
            left = len(state.connections)
            writer.close()
            return left

    assert asyncio.run(go()) == 0


REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
def stopping(monkeypatch):
    """Return what runs `stopping(reader, writer, stop)`; `stop` tells the connection to end."""
    limits = connection._Limits(head=10_000, stall=5)
    monkeypatch.setattr(connection, "_limits", lambda: limits)
    monkeypatch.setattr(connection, "_FAREWELL", 0.2)

    def run(conversation):
        async def go():
            async with serving() as (port, state):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)

                def stop():
                    for each in state.connections:
                        each.shutdown()

                try:
                    return await asyncio.wait_for(conversation(reader, writer, stop), PATIENCE)
                finally:
                    writer.close()

        return asyncio.run(go())

    return run


def test_a_request_sent_while_the_server_stops_is_answered(stopping):
    """The server cannot know what is on its way to a connection that looks silent."""

    async def conversation(reader, writer, stop):
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n0")
        stop()
        writer.write(REQUEST)
        return await rest(reader)

    answer = stopping(conversation)

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close\r\n" in answer


def test_half_a_request_is_waited_for_while_the_server_stops(stopping):
    async def conversation(reader, writer, stop):
        writer.write(REQUEST[:9])
        writer.write(REQUEST[:0])
        await asyncio.sleep(0)
        stop()
        for place in range(9, len(REQUEST), 4):
            writer.write(REQUEST[place : place + 4])
            await asyncio.sleep(0.05)
        return await rest(reader)

    assert stopping(conversation).startswith(b"HTTP/1.1 200")


def test_a_silent_connection_ends_when_the_server_stops(stopping):
    async def conversation(reader, writer, stop):
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n0")
        stop()
        return await rest(reader)

    assert stopping(conversation) == b""


def test_all_of_a_pipeline_is_answered_when_the_server_stops(stopping):
    async def conversation(reader, writer, stop):
        writer.write(REQUEST * 3)
        await reader.readuntil(b"HTTP/1.1 200")
        stop()
        return await rest(reader)

    assert stopping(conversation).count(b"HTTP/1.1 200") == 2


def test_who_is_let_in_as_the_server_stops_is_told_too(monkeypatch):
    """Accepted before the port was closed, and met by the loop after all others were told."""
    limits = connection._Limits(head=10_000, stall=5)
    monkeypatch.setattr(connection, "_limits", lambda: limits)

    async def go():
        async with serving() as (port, state):
            _, first = await asyncio.open_connection("127.0.0.1", port)
            while not state.connections:
                await asyncio.sleep(0.01)
            for each in state.connections:
                each.shutdown()
            reader, second = await asyncio.open_connection("127.0.0.1", port)
            second.write(REQUEST)
            answer = await asyncio.wait_for(rest(reader), PATIENCE)
            first.close()
            second.close()
            return answer

    assert b"connection: close\r\n" in asyncio.run(go())
