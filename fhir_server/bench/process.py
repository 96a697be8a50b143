"""What a process has used, read from the kernel (Linux; elsewhere nothing is known).

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What a server's processes have used so far: CPU seconds; resident bytes, now and of each
    process the most that it ever had; how many there are."""

    cpu: float
    memory: int
    peak: int
    processes: int


def cost(pid: int) -> Cost:
    """Return what a process and its descendants have used."""
    pids = family(pid)
    return Cost(
        cpu=sum(map(_cpu_seconds, pids)),
        memory=sum(_memory(each, "VmRSS:") for each in pids),
        peak=sum(_memory(each, "VmHWM:") for each in pids),
        processes=len(pids),
    )


def family(pid: int) -> list[int]:
    """Return a process and its descendants, none where it is gone."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []
    children = [child for thread in threads for child in _children(thread)]
    return [pid, *(each for child in children for each in family(child))]


def size(path: Path) -> int:
    """Return the bytes that a file, or all files of a folder, take on the disk."""
    return sum(each.stat().st_blocks * 512 for each in _files(path))


def _files(path: Path) -> Iterator[Path]:
    return path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.name}*")


def _children(thread: Path) -> list[int]:
    """Return what a thread has begun: Java and Go begin processes on any of theirs."""
    return [int(pid) for pid in _text(thread / "children").split()]


def _cpu_seconds(pid: int) -> float:
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _memory(pid: int, name: str) -> int:
    """Return a line of /proc/PID/status in bytes; what processes share counts for each."""
    _, _, rest = _text(Path(f"/proc/{pid}/status")).partition(name)
    return int(rest.split()[0]) * 1024 if rest else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it ended a moment ago
