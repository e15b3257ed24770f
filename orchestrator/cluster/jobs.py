"""Sweeps as jobs of a Ray cluster, through its Jobs API: one driver per sweep.

A sweep on a cluster is told by its name and its store. Ray refuses a submission id that it has
seen, so that of two that submit at once one wins and the other attaches.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from orchestrator.cluster.client import Client, reaching
from orchestrator.cluster.errors import ClusterError
from orchestrator.cluster.following import Tail
from orchestrator.cluster.job import Identity, Job, job_of
from orchestrator.cluster.waiting import patiently, persist, wait_for

STARTING, STOPPING = 60.0, 90.0
"""Seconds until a new cluster takes jobs, and until a driver has ended."""


class Jobs:
    """The jobs of one cluster.

    All methods raise ``ClusterError``, and ``ClusterSilentError`` where a later try may succeed.
    """

    def __init__(self, address: str) -> None:
        """Connect to the Jobs API, the address of Ray's dashboard.

        Raises:
            ClusterError: nothing answers there, or it asks for another token.

        """
        self.address = address
        with reaching(address):
            self._client = Client(address)

    def of(self, sweep: Identity) -> list[Job]:
        """List all jobs of ``sweep``, the newest last."""
        with reaching(self.address):
            found = [job_of(one) for one in self._client.list_jobs() if sweep.drives(one)]
        return sorted(found, key=lambda job: job.started)

    def get(self, submission_id: str) -> Job:
        """Look a job up."""
        with reaching(self.address):
            return job_of(self._client.get_job_info(submission_id))

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
            return _attached(live[-1], content)
        # Jobs may have been deleted since: no attempt has the id of another.
        attempt = max((job.attempt for job in earlier), default=0) + 1
        submission_id = sweep.submission_id(attempt)
        try:
            return self.start(submission_id, entrypoint, folder, sweep.metadata(content))
        except ClusterError:
            # Somebody else was faster with the same attempt: attach to that job.
            if rivals := [job for job in self.of(sweep) if job.id == submission_id]:
                return _attached(rivals[0], content)
            raise

    def start(
        self, submission_id: str, entrypoint: str, folder: Path, metadata: Mapping[str, str]
    ) -> Job:
        """Start a job in an uploaded copy of ``folder``."""

        def attempt() -> None:
            with reaching(self.address):
                self._client.submit_job(
                    entrypoint=entrypoint,
                    submission_id=submission_id,
                    runtime_env={"working_dir": str(folder)},
                    metadata=dict(metadata),
                )

        # A cluster that has just been started may take a while to have an agent for it.
        persist(attempt, lambda error: "No available agent" in str(error), STARTING)
        return self.get(submission_id)

    def log(self, job: Job) -> str:
        """Return all that the driver has written so far."""
        with reaching(self.address):
            return str(self._client.get_job_logs(job.id))

    def last_lines(self, job: Job, count: int) -> list[str]:
        """Return the last lines of the log alone; none before the driver is somewhere."""
        if not job.node:
            return []
        with reaching(self.address):
            return self._client.log_end(job.id, job.node, count).splitlines()

    def tail(self, job: Job, skip: int = 0) -> Tail:
        """Connect to the log as it grows, without its first ``skip`` characters."""
        return Tail(self._client.tail_job_logs(job.id), skip)

    def ended(self, job: Job, seconds: float) -> Job | None:
        """Wait for the end of ``job``; None if it has not ended after ``seconds``."""

        def look() -> Job | None:
            now = patiently(lambda: self.get(job.id))
            return None if now.live else now

        return wait_for(look, seconds)

    def stop(self, job: Job, seconds: float = STOPPING) -> Job:
        """Ask ``job`` to end, as Ctrl-C does, and wait for it.

        Raises:
            ClusterError: it is still there after ``seconds``.

        """
        with reaching(self.address):
            self._client.stop_job(job.id)
        if ended := self.ended(job, seconds):
            return ended
        raise ClusterError(f"{job.id} has not ended within {seconds:g} s: try again")

    def forget(self, prefix: str, seconds: float) -> None:
        """Delete the jobs whose ids begin with ``prefix`` and that ended ``seconds`` ago.

        Drivers are kept, whatever their sweep is called. A job that has only just ended would come
        back: Ray's monitor still writes its status.
        """
        now = time.time()
        with reaching(self.address):
            for one in self._client.list_jobs():
                over = one.end_time and one.end_time / 1000 < now - seconds
                ours = str(one.submission_id).startswith(prefix) and not job_of(one).content
                if over and ours:
                    self._client.delete_job(one.submission_id)


def _attached(job: Job, content: str) -> Job:
    if job.content != content:
        raise ClusterError(
            f"{job.id} drives this sweep from an older or another file: wait for it, or end it "
            "with 'prunesweep stop', then submit again; what it commits is kept"
        )
    return job
