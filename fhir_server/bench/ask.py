"""What the command line asks of a case."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ask:
    """How long a load goes on, and the folder of Bundles to ingest (None: the demo city's)."""

    seconds: float = 5.0
    bundles: Path | None = None
