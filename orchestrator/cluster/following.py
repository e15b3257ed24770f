"""Following the log of a job, every character once, through connections that break."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from aiohttp import ClientError

from orchestrator.cluster.errors import ClusterSilentError
from orchestrator.cluster.waiting import PAUSE, patiently

if TYPE_CHECKING:
    from orchestrator.cluster.job import Job
    from orchestrator.cluster.jobs import Jobs

QUIET = 15.0
"""Seconds without a new line after which the connection is questioned."""

_COMPARED = 1000


def follow(jobs: Jobs, job: Job, show: Callable[[str], None]) -> Job:
    """Show the log of ``job`` from its beginning on until the job ends, and return how.

    What was shown is not shown again when a connection is made anew. What ``show`` raises, as for
    a closed pipe, says nothing of the cluster.

    Raises:
        ClusterSilentError: the cluster gave no answer for ``PATIENCE`` seconds.

    """
    shown, last = 0, ""
    while (now := patiently(lambda: jobs.get(job.id))).live:
        with jobs.tail(now, shown) as tail:
            while (text := tail.read(QUIET)) is not None:
                if text:
                    show(text)
                    shown, last = shown + len(text), (last + text)[-_COMPARED:]
                elif _is_cut_off(jobs, job.id, last):
                    break
        time.sleep(PAUSE)
    show(patiently(lambda: jobs.log(now))[shown:])
    return now


class Tail:
    """One connection to the log of a job as it grows; a context manager."""

    def __init__(self, chunks: AsyncIterator[str], skip: int) -> None:
        """Read ``chunks``, the log from its beginning, without its first ``skip`` characters."""
        self._chunks = chunks
        self._skip = skip
        self._runner = asyncio.Runner()
        self._coming: asyncio.Task[str | None] | None = None

    def __enter__(self) -> Tail:
        """Connect when first read."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connection."""
        self._runner.close()

    def read(self, seconds: float) -> str | None:
        """Return what comes next: nothing after ``seconds``, None once the connection ends."""
        return self._runner.run(self._read(seconds))

    async def _read(self, seconds: float) -> str | None:
        task = self._coming or asyncio.ensure_future(self._next())
        done, _ = await asyncio.wait({task}, timeout=seconds)
        self._coming = None if done else task
        return task.result() if done else ""

    async def _next(self) -> str | None:
        try:
            async for chunk in self._chunks:
                fresh = str(chunk)[self._skip :]
                self._skip = max(0, self._skip - len(chunk))
                if fresh:
                    return fresh
        except (RuntimeError, OSError, ClientError):
            pass  # the connection broke: whoever follows connects again
        return None


def _is_cut_off(jobs: Jobs, submission_id: str, last: str) -> bool:
    """Tell whether a connection without news is dead: the log is beyond ``last``, or at its end."""
    try:
        # Looked up anew: before its driver is somewhere, nobody knows where the log will be.
        now = jobs.get(submission_id)
        lines = jobs.last_lines(now, 1)
    except ClusterSilentError:
        return True
    behind = bool(lines) and not last.rstrip("\n").endswith(lines[-1][-_COMPARED // 2 :])
    return behind or not now.live
