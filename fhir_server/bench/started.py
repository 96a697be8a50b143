"""A server of any kind, started by its own command, so that its start can be measured too."""

import shlex
import subprocess
import time
import urllib.error
import urllib.request

from fhir_server.bench.hub import end

_PATIENCE = 300.0  # seconds that a server may take to answer
_PAUSE = 0.05


class Started:
    """A process, started by a command line; it answers once GET [base]/metadata does."""

    def __init__(self, command: str, base: str) -> None:
        """Start it. Raises ValueError where it does not answer."""
        self._words, self._base = shlex.split(command), base
        self.restart()

    @property
    def pid(self) -> int:
        """Return its first process."""
        return self._process.pid

    def pause(self) -> None:
        """Ask it to stop, and wait."""
        end(self._process)

    def restart(self) -> None:
        """Start it and wait for its first answer."""
        started = time.perf_counter()
        self._process = subprocess.Popen(self._words, stdout=subprocess.DEVNULL)
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - started > _PATIENCE:
                self.pause()
                raise ValueError(f"{self._words[0]} does not answer at {self._base}")
            time.sleep(_PAUSE)
        self.seconds_to_answer = time.perf_counter() - started

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._base}/metadata", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
