"""A hub of one's own in a temporary folder, as a separate process: for the story and the
benchmarks."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from fhir_server.bench.process import family


class Hub:
    """A started hub: its addresses, its store, its process; stopped and removed at the end
    of `with`."""

    def __init__(
        self, *options: str, patients: int = 0, seed_demo: bool = True, store: str = ""
    ) -> None:
        """Start `fhir-hub serve` on free ports, on a store that holds the demo city if wished.

        `store` is the URL of an empty one; by default it is a file in the folder.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="fhir-hub-"))
        self.store = store or f"sqlite:///{self.folder}/hub.db"
        self.base = f"http://127.0.0.1:{free_port()}"
        self.mllp = f"127.0.0.1:{free_port()}"
        if seed_demo:
            self.run("demo", "--store", self.store, "--patients", str(patients), "--quiet")
        self.options = options
        self.restart()

    def run(self, *words: str) -> str:
        """Run another `fhir-hub` command and return what it prints."""
        command = [sys.executable, "-m", "fhir_server", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
        return done.stdout.strip()

    def token(self, user: str) -> str:
        """Return a token for a user of the store."""
        return self.run("token", "--store", self.store, "--user", user)

    @property
    def pid(self) -> int:
        """Return the hub's first process."""
        return self.process.pid

    def pause(self) -> None:
        """Ask the hub to stop, and wait for it."""
        end(self.process)

    def stop(self) -> None:
        """Ask the hub to stop, wait for it, and remove its folder."""
        self.pause()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End the hub's processes at once (kill -9), whatever they are doing."""
        for pid in reversed(family(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """Start again on the same store and ports."""
        self.started = time.perf_counter()
        self.process = self._spawn(self.options)
        self.seconds_to_answer = self._wait()

    def __enter__(self) -> "Hub":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _spawn(self, options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        host, port = self.base.removeprefix("http://").split(":")
        words = [
            "serve",
            "--store",
            self.store,
            "--host",
            host,
            "--port",
            port,
            "--mllp",
            self.mllp,
        ]
        with (self.folder / "hub.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "fhir_server", *words, *options], stdout=log, stderr=log
            )

    def _wait(self) -> float:
        while time.perf_counter() - self.started < 30:
            try:
                with urllib.request.urlopen(f"{self.base}/readyz", timeout=1):
                    return time.perf_counter() - self.started
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.01)
        log = (self.folder / "hub.log").read_text(errors="replace")
        self.stop()
        raise RuntimeError(f"The hub did not start:\n{log}")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to stop, and end it where it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
