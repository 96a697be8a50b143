"""A server that is measured: any FHIR R4 server, by its base and whatever is known of its process.

https://hl7.org/fhir/R4/http.html

Nothing here or in the cases knows more of it than that.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fhir_server.bench import process
from fhir_server.bench.process import Cost


class Running(Protocol):
    """A server that was started here, and can be stopped and started again."""

    seconds_to_answer: float

    @property
    def pid(self) -> int:
        """Return its first process."""

    def pause(self) -> None:
        """Ask it to stop, and wait until it has."""

    def restart(self) -> None:
        """Start it (again) and wait for its first answer."""


@dataclass(frozen=True, slots=True)
class Target:
    """One server. `base` is its FHIR base; `pid` its first process and `data` the file or folder
    that it keeps its data in, where they are on this machine; `mllp` is HOST:PORT."""

    name: str
    base: str
    token: str = ""
    pid: int = 0
    data: Path | None = None
    mllp: str = ""
    running: Running | None = None

    def cost(self) -> Cost | None:
        """Return what it has used so far, None where its process is not known."""
        pid = self.running.pid if self.running else self.pid
        used = process.cost(pid) if pid else None
        return used if used and used.processes else None
