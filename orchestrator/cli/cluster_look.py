"""Looks at a sweep on a cluster: what its store holds, counted there, and what its driver says."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestrator.cli.look import JobLook, Look
from orchestrator.cluster.errors import ClusterError, ClusterSilentError

if TYPE_CHECKING:
    from orchestrator.cluster.counting import Counting
    from orchestrator.cluster.job import Identity, Job
    from orchestrator.cluster.jobs import Jobs

LINES, SHOWN = 20, 5
"""Of the driver's log: what is read to find its progress, and what is shown."""


def cluster_looks(jobs: Jobs, known: Identity, counting: Counting) -> Generator[Look]:
    """Look at once, then again whenever asked; the look after the driver's end is a whole one.

    Raises:
        ClusterError: the cluster cannot count, or it is gone.

    """
    driver = Driver(jobs, known)
    # First the driver: once it has ended, nothing is committed that is counted too late.
    job = driver.look()
    yield _look(counting.once(), job)
    with closing(counting.going_on()) as counts:
        for count in counts:
            job = driver.look()
            if job and not job.live:
                break
            yield _look(count, job)
    yield _look(counting.once(), job)


class Driver:
    """The newest job of a sweep, looked at again and again."""

    def __init__(self, jobs: Jobs, known: Identity) -> None:
        """Look for the jobs of the sweep ``known``."""
        self._jobs = jobs
        self._known = known
        self._job: Job | None = None

    def look(self) -> JobLook | None:
        """Say how it is; None while the sweep has no job."""
        from orchestrator.cluster.waiting import patiently

        job = self._job = patiently(self._newest)
        if job is None:
            return None
        lines: list[str] = []
        with suppress(ClusterSilentError):  # its node may be gone, and the log with it
            lines = self._jobs.last_lines(job, LINES)
        told = progress(lines) if job.live else ""
        return JobLook(job.id, job.status, job.message, told, lines[-SHOWN:])

    def _newest(self) -> Job | None:
        if self._job and self._job.live:
            return self._jobs.get(self._job.id)
        return next(reversed(self._jobs.of(self._known)), None)


def progress(lines: Sequence[str]) -> str:
    """Find what a run told last of the whole: ``34 %, 1/3 networks, 5 min left``."""
    for line in reversed(lines):
        if found := re.search(r"  \[(\d+ %[^\]]*)\]$", line):
            return found[1]
        if line.startswith("{") and (told := _structured(line)):
            return told
    return ""


def _structured(line: str) -> str:
    """Read a line that was written with ``PRUNESWEEP_LOG=json``."""
    from orchestrator.execution.duration import duration

    try:
        told = json.loads(line)
        share = f"{int(100 * told['share'])} %"
        left = told["seconds_left"]
    except (ValueError, KeyError, TypeError):
        return ""
    return share if left is None else f"{share}, {duration(left)} left"


def _look(count: dict[str, Any], job: JobLook | None) -> Look:
    try:
        return replace(Look(**count), job=job)
    except TypeError:
        raise ClusterError(
            "the cluster counts otherwise than this machine understands: its prunesweep is "
            "another version; 'prunesweep doctor --address …' compares them"
        ) from None
