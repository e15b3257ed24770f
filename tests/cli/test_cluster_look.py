"""What ``status`` makes of a sweep on a cluster: here its parts that need none."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from orchestrator.cli.cluster_look import cluster_looks, progress
from orchestrator.cluster.errors import ClusterError
from orchestrator.cluster.job import Identity, Job
from orchestrator.execution.log import JsonProgress
from orchestrator.execution.progress import Progress
from orchestrator.plan.to_do import Work
from tests.execution.conftest import make_chain
from workers.contracts import Event

NAME = "net/s0/dense"
CHAINS = [make_chain(NAME, epochs=10)]
TO_DO = {NAME: {Work(kind="epochs", network="net", passes=300.0): 10}}
EVENTS = [
    Event(chain=NAME, kind="epoch", done=0, total=10),
    Event(chain=NAME, kind="epoch", done=3, total=10),
    Event(chain=NAME, kind="retry", detail="[this] failed  [after 3 %]"),
]


def lines(structured: bool) -> list[str]:
    """What a run writes that has done 3 of 10 epochs in 60 s."""
    paper, now = io.StringIO(), [0.0]
    told: Any = (
        JsonProgress("a", CHAINS, TO_DO, stream=paper, clock=lambda: now[0])
        if structured
        else Progress(CHAINS, TO_DO, console=Console(file=paper, width=60), clock=lambda: now[0])
    )
    for event, after in zip(EVENTS, (0, 60, 0), strict=True):
        now[0] += after
        told.report(event)
    return paper.getvalue().splitlines()


def test_the_progress_is_what_a_run_told_last() -> None:
    assert progress(lines(structured=False)) == "30 %, 3/10 epochs, 2 min 20 s left"
    assert progress(lines(structured=True)) == "30 %, 2 min 20 s left"
    said = ["a warning [of something]", '{"no": "progress"}', "{half of an obj"]
    assert progress([*lines(structured=False), *said]) == "30 %, 3/10 epochs, 2 min 20 s left"
    assert progress(said) == ""


class Cluster:
    """Stands for ``Jobs`` and ``Counting``: the driver commits a network at every look."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.committed = 0

    def of(self, sweep: Identity) -> list[Job]:
        return [self.get("driver")] if self.statuses else []

    def get(self, submission_id: str) -> Job:
        self.committed += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Job("driver", status, "", "", 0.0, "node")

    def last_lines(self, job: Job, count: int) -> list[str]:
        return [str(line) for line in range(count)]

    def once(self) -> dict[str, Any]:
        return self._count(self.committed)

    def going_on(self) -> Iterator[dict[str, Any]]:
        while True:
            yield self._count(0)  # as long ago as can be

    def _count(self, done: int) -> dict[str, Any]:
        counts = {"networks": {"all": 9, "cached": done}}
        about = {"chains": {NAME: "partial"}, "unfinished": {}, "failed": {}, "blocked": {}}
        return {"sweep": "a", "store": "/there", "counts": counts, **about}


def seen(cluster: Any, most: int = 10) -> list[tuple[str | None, int]]:
    looks = cluster_looks(cluster, Identity("a"), cluster)
    found = [look for look, _ in zip(looks, range(most), strict=False)]
    return [(look.job and look.job.status, look.counts["networks"]["cached"]) for look in found]


def test_the_last_look_counts_what_was_committed_until_the_driver_s_end() -> None:
    statuses = ("PENDING", "RUNNING", "RUNNING", "SUCCEEDED")
    assert seen(Cluster(*statuses)) == [
        ("PENDING", 1),
        ("RUNNING", 0),
        ("RUNNING", 0),
        ("SUCCEEDED", 4),
    ]


def test_without_a_driver_the_store_alone_tells() -> None:
    assert seen(Cluster(), most=3) == [(None, 0), (None, 0), (None, 0)]


def test_a_count_of_another_version_is_told() -> None:
    cluster = Cluster("FAILED")
    cluster.once = lambda: json.loads('{"sweep": "a", "chains": {}}')  # type: ignore[method-assign]
    with pytest.raises(ClusterError, match="its prunesweep is another version"):
        seen(cluster)
