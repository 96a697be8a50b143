"""The command line as a person uses it: words in, exit status and what was printed out."""

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fhir_server.__main__ import main


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command line; `typed` is what comes through the pipe."""

    def command(*words: object, typed: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:  # argparse, for --help and a wrong command line
            status = int(end.code or 0)
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return command


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store file with a small demo city, never written to."""
    path = tmp_path_factory.mktemp("commands") / "hub.db"
    assert main(["demo", "--store", f"sqlite:///{path}", "--patients", "1", "--quiet"]) == 0
    return path


@pytest.fixture
def city(seeded: Path, tmp_path: Path) -> str:
    """The URL of a store with the demo city, the test's own."""
    return f"sqlite:///{shutil.copy(seeded, tmp_path / 'city.db')}"


@pytest.fixture
def empty(tmp_path: Path) -> str:
    """The URL of a store that is not there yet."""
    return f"sqlite:///{tmp_path / 'empty.db'}"
