"""All checks of every node of a cluster, from within: by an actor on each that reserves nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.cluster.doctor.finding import Finding, Level, Node
from orchestrator.cluster.doctor.local import examine
from orchestrator.cluster.doctor.machine import compare_versions, versions
from orchestrator.cluster.doctor.ports import check_node_ports
from orchestrator.cluster.doctor.store import check_shared, left
from orchestrator.cluster.doctor.subject import Subject
from orchestrator.cluster.doctor.tracking import check_tracking
from orchestrator.cluster.errors import ClusterError
from orchestrator.store import StoreError

SECONDS = 90.0
"""That all nodes together may take."""
LOOKS = 5
"""At a clock, of which the quickest counts."""
SKEW, WRONG = 2.0, 600.0
"""Seconds between clocks: what makes MLflow's times confusing; what makes S3 refuse, nearly."""


class Examiner:
    """Examines the node that it runs on."""

    def now(self) -> float:
        """Return the node's time, in seconds since 1970."""
        return time.time()

    def versions(self) -> dict[str, str]:
        """Return what is installed."""
        return versions()

    def examine(self, subject: Subject, ours: bool, left: str) -> list[Finding]:
        """Make all checks; ``left`` is what the driver left in the store, if it could."""
        shared = [check_shared(subject.store, left)] if left else []
        return [*examine(subject, ours=ours), *shared]


@dataclass(frozen=True)
class _Asked:
    """A node and its examiner."""

    told: dict[str, Any]
    examiner: Any

    @property
    def name(self) -> str:
        head = " (head)" if "node:__internal_head__" in self.told["Resources"] else ""
        return f"{self.told['NodeManagerAddress']}{head}"

    @property
    def here(self) -> bool:
        return bool(self.told["NodeID"] == ray.get_runtime_context().get_node_id())


def examine_nodes(subject: Subject) -> list[Node]:
    """Examine all nodes of the cluster that this job runs on, and what only the driver needs."""
    ray.init(logging_level=logging.ERROR, log_to_driver=False)
    asked = [_Asked(node, _examiner(node["NodeID"])) for node in ray.nodes() if node["Alive"]]
    asked.sort(key=lambda one: (not one.here, one.name))
    ready = [one.examiner.now.remote() for one in asked]
    ray.wait(ready, num_returns=len(ready), timeout=SECONDS)
    with ExitStack() as stack:
        try:
            path = stack.enter_context(left(subject.store))
        except (ClusterError, OSError, StoreError):
            path = ""  # what is wrong with the store is told by its own check
        findings = _gathered(asked, subject, path)
    nodes = [Node(one.name, tuple(found)) for one, found in zip(asked, findings, strict=True)]
    driver = [check_tracking(subject.uri, subject.experiment), *_fit(subject, ray.nodes())]
    return [replace(nodes[0], findings=(*nodes[0].findings, *driver)), *nodes[1:]]


def _examiner(node: str) -> Any:
    pinned = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(Examiner).options(num_cpus=0, scheduling_strategy=pinned).remote()


def _gathered(asked: Sequence[_Asked], subject: Subject, path: str) -> list[list[Finding]]:
    """Have all nodes examine themselves at once."""
    free = ray._private.state.available_resources_per_node()
    pending = []
    for one in asked:
        gpus = one.told["Resources"].get("GPU", 0.0)
        ours = free.get(one.told["NodeID"], {}).get("GPU", 0.0) < gpus
        # What a chain is given need not be on every node, see _fit, but what Ray offers there must.
        own = replace(subject, cpus=1, gpus=min(gpus, 1.0))
        pending.append(one.examiner.examine.remote(own, ours, path))
    ready, _ = ray.wait(pending, num_returns=len(pending), timeout=SECONDS)
    findings = []
    for one, answer in zip(asked, pending, strict=True):
        if answer in ready:
            findings.append(_answered(one, answer))
        else:
            found = f"no answer within {SECONDS:g} s"
            advice = "look at its load and at hanging file systems, then restart Ray there"
            findings.append([Finding("ports", "fail", found, advice)])
    return findings


def _answered(one: _Asked, answer: Any) -> list[Finding]:
    try:
        found = list(ray.get(answer))
        theirs = ray.get(one.examiner.versions.remote(), timeout=SECONDS)
        clock = [] if one.here else [_clock(one.examiner)]
    except RayError as error:
        cause = f"no checks: {str(error).strip().splitlines()[-1]}"
        advice = "look at the node's log in Ray's dashboard, or restart Ray there"
        return [Finding("ports", "fail", cause, advice)]
    compared = compare_versions(theirs, versions(), "the driver", strict=True)
    ports = {
        "raylet": one.told["NodeManagerPort"],
        "objects": one.told["ObjectManagerPort"],
        "metrics": one.told["MetricsExportPort"],
    }
    reached = check_node_ports(one.told["NodeManagerAddress"], ports)
    return [*found, *compared, *clock, reached]


def _clock(examiner: Any) -> Finding:
    looks = []
    for _ in range(LOOKS):
        before = time.time()
        there = ray.get(examiner.now.remote(), timeout=SECONDS)
        after = time.time()
        looks.append((after - before, there - (before + after) / 2))
    trip, difference = min(looks)
    return judge_clock(difference, trip)


def judge_clock(difference: float, trip: float) -> Finding:
    """Judge how far a clock is ahead of the driver's, to half a round ``trip``; in seconds."""
    found = f"{difference:+.3f} s ± {trip / 2:.3f} s of the driver's"
    if (off := abs(difference) - trip / 2) < SKEW:
        return Finding("clock", "ok", found)
    level: Level = "fail" if off >= WRONG else "warn"
    return Finding("clock", level, found, "set it by NTP: timedatectl set-ntp true")


def _fit(subject: Subject, nodes: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Say what no node has that a chain is given."""
    for check, key, wanted in (("cpus", "CPU", subject.cpus), ("gpus", "GPU", subject.gpus)):
        most = max(node["Resources"].get(key, 0.0) for node in nodes if node["Alive"])
        if wanted > most:
            found = f"a chain is given {wanted:g}, and no node offers more than {most:g}"
            fewer = f"--set resources.{check}={most:g}, or " if most or check == "gpus" else ""
            advice = f"{fewer}start a node with more"
            yield Finding(check, "fail", found, advice)
