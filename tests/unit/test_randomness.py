"""Random bytes are handed out once."""

import os

from fhir_server.randomness import RandomBytes


def test_no_bytes_come_twice():
    source = RandomBytes()

    assert len({source.hex(16) for _ in range(1000)}) == 1000


def test_as_many_come_as_are_asked_for():
    assert [len(RandomBytes().hex(size)) for size in (1, 16, 4096)] == [2, 32, 8192]


def test_a_child_process_draws_others():
    source = RandomBytes()
    source.hex(16)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, source.hex(16).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(read, 32).decode() != source.hex(16)
