"""One message over MLLP on a connection of its own, for tools; the hub itself only listens."""

import socket

from adapters.transport.mllp import Decoder, Frame, encode

SECONDS = 30.0


def read_address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`. Raises ValueError.

    >>> read_address("127.0.0.1:2575"), read_address("[::1]:2575")
    (('127.0.0.1', 2575), ('::1', 2575))
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{text!r} is no address; expected HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def exchange(address: str, message: bytes) -> bytes:
    """Send one message to `HOST:PORT` and return the answer.

    Raises ValueError for an address that is none, OSError with the address where nobody answers.
    """
    host, port = read_address(address)
    try:
        with socket.create_connection((host, port), SECONDS) as connection:
            connection.sendall(encode(message))
            decoder = Decoder()
            while data := connection.recv(65536):
                for event in decoder.feed(data):
                    if isinstance(event, Frame):
                        return event.content
    except OSError as fault:
        raise OSError(f"{address}: {fault.strerror or fault}") from None
    raise OSError(f"{address}: the connection was closed without an answer")
