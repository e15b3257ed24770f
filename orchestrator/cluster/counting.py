"""Counting in the store of a cluster, which is often seen there alone.

``prunesweep status`` runs there as a job of its own, which drives no sweep.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from orchestrator.cluster.errors import ClusterError
from orchestrator.cluster.job import Job
from orchestrator.cluster.jobs import Jobs
from orchestrator.cluster.shipment import Shipment
from orchestrator.cluster.waiting import PAUSE, patiently

ONCE = 300.0
"""Seconds that one count may take."""
TURN = 600.0
"""Seconds that one job goes on counting: so long it outlives who was killed watching it."""
ENDING = 20.0
"""Seconds that a job may take to end when it is told to."""
KEPT = 600.0
"""Seconds after which the next count has Ray forget a job."""
_PREFIX = "prunesweep-status-"


class Counting:
    """What ``prunesweep status --json`` says of a sweep on the cluster."""

    def __init__(self, jobs: Jobs, shipment: Shipment, options: Sequence[str]) -> None:
        """Count what ``shipment`` asks for with ``options`` of ``prunesweep``."""
        self._jobs = jobs
        self._shipment = shipment
        self._options = options

    def once(self) -> dict[str, Any]:
        """Count now.

        Raises:
            ClusterError: it cannot be counted there; the message says why.

        """
        with self._job(0) as job:
            ended = self._jobs.ended(job, ONCE)
            if ended is None:
                raise ClusterError(
                    f"the cluster at {self._jobs.address} has not counted within {ONCE:g} s"
                )
            if ended.status == "SUCCEEDED" and (count := _count(self._last(ended))):
                return count
            raise self._unable(ended)

    def going_on(self) -> Generator[dict[str, Any]]:
        """Yield the newest count whenever asked, without an end; raises ClusterError as ``once``.

        Ending the iteration ends the job on the cluster.
        """
        while True:
            with self._job(TURN) as job:
                while (now := patiently(lambda: self._jobs.get(job.id))).live:
                    if count := _count(self._last(now)):
                        yield count
                    else:
                        time.sleep(PAUSE)
                if now.status != "SUCCEEDED":
                    raise self._unable(now)

    @contextmanager
    def _job(self, seconds: float) -> Iterator[Job]:
        """Count for so long in a job, which ends with the block."""
        with suppress(ClusterError):  # another client does the same
            self._jobs.forget(_PREFIX, KEPT)
        options = ("--json", "--watch", "--for", f"{seconds:g}")
        command = self._shipment.command("status", *self._options, *options)
        name = f"{_PREFIX}{uuid4().hex[:12]}"
        job = self._jobs.start(name, command, self._shipment.folder, {})
        try:
            yield job
        finally:
            with suppress(ClusterError):  # it ends by itself
                self._jobs.stop(job, ENDING)

    def _last(self, job: Job) -> str:
        return next(iter(patiently(lambda: self._jobs.last_lines(job, 1))), "")

    def _unable(self, job: Job) -> ClusterError:
        told = self._last(job) or job.message
        return ClusterError(f"the cluster at {self._jobs.address} cannot count: {told}")


def _count(line: str) -> dict[str, Any] | None:
    """Read a line of the log; None if it is no count, or one that is still being written."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
