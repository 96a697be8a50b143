"""What the command line asks of a case."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ask:
    """How long a load goes on, the folder of Bundles to ingest (None: the demo city's), how many
    resources are searched, and of how many patients who consent (0: of any)."""

    seconds: float = 5.0
    bundles: Path | None = None
    resources: int = 10_000
    consenting: int = 0
