"""Sweeps as jobs of a Ray cluster, through its Jobs API: one driver per sweep.

A sweep on a cluster is told by its name and its store. Ray refuses a submission id that it has
seen, so that of two that submit at once one wins and the other attaches.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import ClientError
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from orchestrator.cluster.errors import ClusterError

LIVE = ("PENDING", "RUNNING")
POLL = 0.5
STARTING = 60.0
_NAME, _STORE, _CONTENT = "prunesweep.sweep", "prunesweep.store", "prunesweep.content"


@dataclass(frozen=True)
class Identity:
    """Which sweep a job drives: its name, and its store, empty for the cluster's own."""

    sweep: str
    store: str = ""

    @property
    def prefix(self) -> str:
        """What the submission ids of this sweep's jobs begin with."""
        digest = sha256(f"{self.sweep}\n{self.store}".encode()).hexdigest()[:8]
        return f"prunesweep-{re.sub(r'[^A-Za-z0-9_-]+', '-', self.sweep)}-{digest}"


@dataclass(frozen=True)
class Job:
    """A driver of a sweep on the cluster; ``content`` is the digest of what was shipped for it."""

    id: str
    status: str
    content: str
    message: str
    started: float

    @property
    def live(self) -> bool:
        """Whether it is at work, or will be."""
        return self.status in LIVE


# They tell of every upload and of every connection that is closed.
for _chatty in ("modules.dashboard_sdk", "modules.job.sdk"):
    logging.getLogger(f"ray.dashboard.{_chatty}").setLevel(logging.WARNING)
logging.getLogger("ray._private.runtime_env.packaging").setLevel(logging.WARNING)


class Jobs:
    """The jobs of one cluster."""

    def __init__(self, address: str) -> None:
        """Connect to the Jobs API, the address of Ray's dashboard.

        Raises:
            ClusterError: nothing answers there, or it asks for another token.

        """
        self.address = address
        with self._reaching():
            self._client = JobSubmissionClient(address)

    def of(self, sweep: Identity) -> list[Job]:
        """List all jobs of ``sweep``, the newest last."""
        with self._reaching():
            found = [_job(one) for one in self._client.list_jobs() if _is_of(one, sweep)]
        return sorted(found, key=lambda job: job.started)

    def submit(self, sweep: Identity, entrypoint: str, folder: Path, content: str) -> Job:
        """Start a driver on the cluster, or return the one at work.

        Args:
            sweep: which sweep.
            entrypoint: its command line.
            folder: the working directory, which is uploaded.
            content: digest of ``entrypoint`` and ``folder``.

        Raises:
            ClusterError: the sweep is being driven with other content, or the cluster refuses.

        """
        earlier = self.of(sweep)
        if live := [job for job in earlier if job.live]:
            return self._attached(live[-1], content)
        # Jobs may have been deleted since: a number is never used twice.
        last = max((_place(job) for job in earlier), default=0)
        number = f"{sweep.prefix}-{last + 1}"
        metadata = {_NAME: sweep.sweep, _STORE: sweep.store, _CONTENT: content}
        try:
            self._start(
                entrypoint=entrypoint,
                submission_id=number,
                runtime_env={"working_dir": str(folder)},
                metadata=metadata,
            )
        except ClusterError:
            # Somebody else was faster with the same number: attach to that job.
            if rivals := [job for job in self.of(sweep) if job.id == number]:
                return self._attached(rivals[0], content)
            raise
        return self.get(number)

    def get(self, number: str) -> Job:
        """Look a job up."""
        with self._reaching():
            return _job(self._client.get_job_info(number))

    def follow(self, job: Job, show: Callable[[str], None]) -> Job:
        """Show the log of ``job`` from its beginning on until the job ends, and return how.

        A connection that breaks is made anew; what was shown is not shown again.
        """
        shown = 0
        while True:
            live = self.get(job.id).live
            # What ``show`` raises, as for a closed pipe, says nothing of the cluster.
            for text in self._tail(job.id, shown) if live else [self.log(job)[shown:]]:
                show(text)
                shown += len(text)
            if not live:
                return self.get(job.id)
            time.sleep(POLL)

    def log(self, job: Job) -> str:
        """Return what the driver has written so far."""
        with self._reaching():
            return str(self._client.get_job_logs(job.id))

    def stop(self, job: Job, seconds: float = 90) -> Job:
        """Ask ``job`` to end, as Ctrl-C does, and wait for it.

        Raises:
            ClusterError: it is still there after ``seconds``.

        """
        with self._reaching():
            self._client.stop_job(job.id)
        deadline = time.monotonic() + seconds
        while (now := self.get(job.id)).live:
            if time.monotonic() > deadline:
                raise ClusterError(f"{job.id} has not ended within {seconds:g} s: try again")
            time.sleep(POLL)
        return now

    def _start(self, **job: Any) -> None:
        """Submit; a cluster that has just been started may take a while to have an agent for it."""
        deadline = time.monotonic() + STARTING
        while True:
            try:
                with self._reaching():
                    self._client.submit_job(**job)
                return
            except ClusterError as error:
                if "No available agent" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(POLL)

    def _attached(self, job: Job, content: str) -> Job:
        if job.content != content:
            raise ClusterError(
                f"{job.id} drives this sweep from an older or another file: wait for it, or end it "
                "with 'prunesweep stop', then submit again; what it commits is kept"
            )
        return job

    def _tail(self, number: str, skip: int) -> Iterator[str]:
        """Yield the log as it grows, without its first ``skip`` characters, until it breaks off."""
        tail = self._client.tail_job_logs(number)
        with asyncio.Runner() as runner:
            while True:
                try:
                    text = runner.run(_next(tail))
                except (RuntimeError, OSError, ClientError):
                    return  # the connection broke: whoever follows connects again
                if text is None:
                    return
                if fresh := text[skip:]:
                    yield fresh
                skip = max(0, skip - len(text))

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except AuthenticationError:
            raise ClusterError(
                f"the cluster at {self.address} asks for a token: set RAY_AUTH_MODE=token, and "
                "RAY_AUTH_TOKEN_PATH to the file that holds the cluster's own"
            ) from None
        except (ConnectionError, OSError) as error:
            raise ClusterError(
                f"no Ray cluster answers at {self.address}: expected the address of its dashboard, "
                f"as http://head:8265 ({_first_line(error)})"
            ) from None
        except (RuntimeError, ValueError) as error:
            raise ClusterError(f"the cluster at {self.address}: {_first_line(error)}") from None


async def _next(tail: Any) -> str | None:
    try:
        return str(await anext(tail))
    except StopAsyncIteration:
        return None


def _is_of(one: JobDetails, sweep: Identity) -> bool:
    told = one.metadata or {}
    return (told.get(_NAME), told.get(_STORE)) == (sweep.sweep, sweep.store)


def _place(job: Job) -> int:
    """Read the number of a job among those of its sweep from its id."""
    return int(job.id.rpartition("-")[2])


def _job(one: JobDetails) -> Job:
    return Job(
        id=str(one.submission_id),
        status=JobStatus(one.status).value,
        content=(one.metadata or {}).get(_CONTENT, ""),
        message=str(one.message or ""),
        started=(one.start_time or 0) / 1000,
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return text[:300] or type(error).__name__
