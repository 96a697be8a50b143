"""A running hub's system calls, watched or made to fail, by strace."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

FILE = "pwrite64,fdatasync,fsync,ftruncate"


@contextmanager
def attached(pids: int | Sequence[int], *options: str) -> Iterator[Path]:
    """Trace all threads of processes for as long as the block runs; yield where the trace lies.

    Skips the test where there is no strace, or where it may not attach.
    """
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        processes = [pids] if isinstance(pids, int) else pids
        of = (word for pid in processes for word in ("-p", str(pid)))
        words = [program, "-f", "-qq", "-o", str(trace), *options, *of]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        try:
            for pid in processes:
                _wait(process, pid)
            yield trace
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            assert process.stderr is not None
            process.stderr.close()


def _wait(process: "subprocess.Popen[str]", pid: int) -> None:
    """Wait until each thread says that it is traced."""
    threads = Path(f"/proc/{pid}/task")
    while not all(_traced(thread) for thread in threads.iterdir()):
        try:
            process.wait(0.01)
        except subprocess.TimeoutExpired:
            continue
        assert process.stderr is not None
        pytest.skip(f"strace cannot attach: {process.stderr.read().strip()}")


def _traced(thread: Path) -> bool:
    status = (thread / "status").read_text()
    return "TracerPid:\t0\n" not in status
