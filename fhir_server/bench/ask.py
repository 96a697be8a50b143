"""What the command line asks of a case."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ask:
    """How long a load goes on, the folder of Bundles to ingest (None: the demo city's), and how
    many resources are searched."""

    seconds: float = 5.0
    bundles: Path | None = None
    resources: int = 10_000
