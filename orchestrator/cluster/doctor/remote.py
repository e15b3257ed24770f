"""The checks of a cluster, asked for from outside by a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from shlex import join
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from orchestrator.cluster.doctor.finding import RESULT, Finding, Node
from orchestrator.cluster.doctor.machine import compare_versions, versions
from orchestrator.cluster.errors import ClusterError
from orchestrator.cluster.job import Job
from orchestrator.cluster.jobs import Jobs
from orchestrator.cluster.shipment import pack
from orchestrator.spec import SweepSpec

SECONDS = 300.0


def examine_cluster(
    address: str, spec: SweepSpec | None, sets: Sequence[str], modules: Sequence[Path]
) -> list[Node]:
    """Examine every node of the cluster at ``address``, and this machine as its client.

    Args:
        address: of the Jobs API.
        spec: the sweep, which is shipped as ``submit`` would; None for none.
        sets: what is to be changed in it.
        modules: the user's own, which are shipped too.

    Raises:
        ClusterError: there is no cluster, or it does not answer.
        SweepError: the sweep names a module that is not shipped.

    """
    jobs = Jobs(address)
    command = ["python", "-P", "-m", "orchestrator.cluster.doctor"]
    with TemporaryDirectory() as name:
        folder = Path(name)
        if spec:
            command += [str(pack(spec, modules, folder).sweep), *sets]
        # Ray takes no empty folder, and remembers each by its content.
        (folder / ".prunesweep-doctor").write_text(unique := uuid4().hex)
        job = jobs.start(f"prunesweep-doctor-{unique[:12]}", join(command), folder, {})
    told = _result(jobs, _ended(jobs, job))
    if "error" in told:
        raise ClusterError(f"on the cluster: {told['error']}")
    nodes = [_node(one) for one in told["nodes"]]
    return [*nodes, _client(told["versions"])]


def _ended(jobs: Jobs, job: Job) -> Job:
    if ended := jobs.ended(job, SECONDS):
        return ended
    jobs.stop(job)
    raise ClusterError(f"the cluster at {jobs.address} has not answered in {SECONDS:g} s")


def _result(jobs: Jobs, job: Job) -> dict[str, Any]:
    lines = jobs.log(job).splitlines()
    for line in lines:
        if line.startswith(RESULT):
            return dict(json.loads(line.removeprefix(RESULT)))
    last = next((line for line in reversed(lines) if line.strip()), job.message)
    raise ClusterError(
        f"the cluster at {jobs.address} cannot examine itself, perhaps because its prunesweep is "
        f"older than this one: {last}"
    )


def _node(told: dict[str, Any]) -> Node:
    return Node(told["name"], tuple(Finding(**one) for one in told["findings"]))


def _client(theirs: dict[str, str]) -> Node:
    own = versions()
    differing = tuple(compare_versions(own, theirs, "the cluster", strict=False))
    told = ", ".join(f"{name} {number}" for name, number in own.items())
    return Node("client", differing or (Finding("versions", "ok", told),))
