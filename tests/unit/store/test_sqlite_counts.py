"""A count chooses a plan, and may be a second old."""

import pytest

from fhir_server.store.sqlite.counts import Counts


@pytest.fixture
def clock():
    """Return a clock that a test sets: a list of its one time."""
    return [0.0]


@pytest.fixture
def counted(clock):
    """Return what counts under a key, each time one more, and returns what is known."""
    counts, times = Counts(lambda: clock[0]), iter(range(1, 20_000))
    return lambda key: counts.get(key, lambda: next(times))


def test_what_was_counted_is_not_counted_again(counted):
    assert [counted("a"), counted("b"), counted("a")] == [1, 2, 1]


def test_what_is_more_than_a_second_old_is_counted_again(counted, clock):
    counted("a")
    clock[0] = 1.5

    assert counted("a") == 2


def test_what_would_be_too_much_is_forgotten(counted):
    for key in range(10_000):
        counted(key)

    assert counted(0) == 10_001
