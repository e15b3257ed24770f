"""Which jobs Ray is told to forget."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ray.job_submission import JobDetails, JobStatus, JobType

from orchestrator.cluster import jobs
from orchestrator.cluster.job import Identity
from orchestrator.cluster.jobs import Jobs

OF_A_SWEEP = Identity("status")


def job(submission_id: str | None, ended: float | None, **more: Any) -> JobDetails:
    """One that ended so many seconds ago, or goes on."""
    return JobDetails(
        type=JobType.SUBMISSION if submission_id else JobType.DRIVER,
        submission_id=submission_id,
        status=JobStatus.RUNNING if ended is None else JobStatus.SUCCEEDED,
        entrypoint="",
        end_time=None if ended is None else round(1000 * (time.time() - ended)),
        **more,
    )


class Ray:
    """Stands for Ray's Jobs API."""

    deleted: list[str]

    def __init__(self, address: str) -> None:
        Ray.deleted = []

    def list_jobs(self) -> list[JobDetails]:
        driver = OF_A_SWEEP.submission_id(1)
        return [
            job("prunesweep-status-0", 700),
            job("prunesweep-status-1", 500),
            job("prunesweep-status-2", None),
            job("raysubmit_3", 700),
            job(None, 700),
            job(driver, 700, metadata=OF_A_SWEEP.metadata("content")),
        ]

    def delete_job(self, submission_id: str) -> None:
        Ray.deleted.append(submission_id)


def test_no_driver_of_a_sweep_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "Client", Ray)
    assert OF_A_SWEEP.submission_id(1).startswith("prunesweep-status-")
    Jobs("http://head:8265").forget("prunesweep-status-", 600)
    assert Ray.deleted == ["prunesweep-status-0"]
