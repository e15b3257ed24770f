"""A job of a Ray cluster, and which sweep it drives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from ray.job_submission import JobDetails, JobStatus

LIVE = ("PENDING", "RUNNING")
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

    def submission_id(self, attempt: int) -> str:
        """Name the job of an attempt at this sweep, of which the first is 1."""
        return f"{self.prefix}-{attempt}"

    def metadata(self, content: str) -> dict[str, str]:
        """Describe a job of this sweep to Ray, with the digest of what is shipped for it."""
        return {_NAME: self.sweep, _STORE: self.store, _CONTENT: content}

    def drives(self, details: JobDetails) -> bool:
        """Tell whether a job is one of this sweep."""
        told = details.metadata or {}
        return (told.get(_NAME), told.get(_STORE)) == (self.sweep, self.store)


@dataclass(frozen=True)
class Job:
    """A job on the cluster.

    Attributes:
        id: its submission id.
        status: as Ray names it.
        content: digest of what was shipped for it, empty if it drives no sweep.
        message: what Ray says of it, in one line.
        started: seconds since the epoch.
        node: the id of the node where its driver is, empty before there is one.

    """

    id: str
    status: str
    content: str
    message: str
    started: float
    node: str

    @property
    def live(self) -> bool:
        """Whether it is at work, or will be."""
        return self.status in LIVE

    @property
    def attempt(self) -> int:
        """Which attempt at its sweep this is."""
        return int(self.id.rpartition("-")[2])


def job_of(details: JobDetails) -> Job:
    """Read what Ray knows of a job."""
    return Job(
        id=str(details.submission_id),
        status=JobStatus(details.status).value,
        content=(details.metadata or {}).get(_CONTENT, ""),
        message=_summary(str(details.message or "")),
        started=(details.start_time or 0) / 1000,
        node=str(details.driver_node_id or ""),
    )


def _summary(message: str) -> str:
    """Leave out the end of the log, which Ray appends and whoever follows has seen."""
    return message.strip().partition("\n")[0].partition(", last available logs")[0]
