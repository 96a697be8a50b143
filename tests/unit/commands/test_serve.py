"""`serve` and `demo` refuse in plain words, before anything is started."""

import socket

import pytest

from fhir_server.bench.hub import free_port


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "hub.example"])
def test_open_is_refused_beyond_loopback(run, host):
    """`--open` switches authentication off: refused on anything but loopback."""
    told = run("serve", "--open", "--host", host, "--store", "memory://")

    assert told.status == 1
    assert told.err.startswith(f"fhir-hub serve: --open is refused on {host}")


@pytest.mark.parametrize("command", [("serve",), ("demo", "--serve")])
@pytest.mark.parametrize("taken", ["http", "mllp"])
def test_a_port_in_use_is_named(run, empty, tmp_path, command, taken):
    """A port that somebody else listens on is named, and no store is made or filled."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        used, free = other.getsockname()[1], free_port()
        ports = {"http": (used, free), "mllp": (free, used)}[taken]
        told = run(
            *command, "--port", ports[0], "--mllp", f"127.0.0.1:{ports[1]}", "--store", empty
        )

    assert told.status == 1
    assert f"cannot listen on 127.0.0.1:{used}: Address already in use" in told.err
    assert (told.out, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--port", "99999"), "99999 is no port; expected 1 to 65535"),
        (("--mllp", "nowhere"), "'nowhere' is no address; expected HOST:PORT"),
        (("--store", "hub.db"), "'hub.db' names no store"),
        (("--store", "sqlite:////no/such/folder/hub.db"), "there is no such folder"),
        (("--store", "memory://", "--workers", "2"), "--workers needs a store"),
    ],
)
def test_a_wrong_setting_is_told(run, words, expected):
    """What the server could not use is told before it starts."""
    free = ("--port", free_port(), "--mllp", f"127.0.0.1:{free_port()}", "--store", "memory://")
    told = run("serve", *free, *words)

    assert (told.status, told.out) == (1, "")
    assert expected in told.err


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_workers_are_a_number_above_0(run, workers):
    """There is at least one worker."""
    assert run("serve", f"--workers={workers}").status == 2


def test_the_city_needs_a_store_that_stays(run):
    """`demo` on `memory://` would be lost before anybody saw it."""
    told = run("demo", "--store", "memory://")

    assert (told.status, "memory:// does not" in told.err) == (1, True)


def test_demo_tells_how_to_get_in(run, city):
    """`demo` prints the addresses, the users with their passwords, and a request with a token."""
    told = run("demo", "--store", city, "--port", "18123").out

    assert "http://127.0.0.1:18123/fhir" in told
    assert "demo-east-gp" in told
    assert 'curl -H "Authorization: Bearer hub_' in told
