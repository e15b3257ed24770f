"""Processes that are known by a mark in their environment, which those they start inherit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MARK = "PRUNESWEEP_FAULT_MARK"


def marked(mark: str) -> dict[int, str]:
    """The living processes whose mark begins with ``mark``, each with the name of its program."""
    found, wanted = {}, f"\0{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is somebody else's
            if wanted in b"\0" + (path / "environ").read_bytes():
                found[int(path.name)] = (path / "comm").read_text().strip()
    return found


def kill(mark: str, program: str = "", number: int = signal.SIGKILL) -> int:
    """Send a signal to all processes with ``mark``, or those of ``program``; returns how many."""
    chosen = [pid for pid, name in marked(mark).items() if program in ("", name)]
    for pid in chosen:
        send(number, pid)
    return len(chosen)


def send(number: int, pid: int) -> None:
    """Send a signal to one process, unless it has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_for(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.02)
