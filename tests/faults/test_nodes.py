"""A part of a cluster dies: a raylet, a whole node, the head; or a node is asked to end."""

from __future__ import annotations

import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from tests.faults.nodes import Node, Nodes
from tests.faults.recovery import Recovery, recovered, strike
from tests.faults.sweep import FaultySweep

pytestmark = pytest.mark.slow

Faulty = Callable[..., FaultySweep]
Matrix = Callable[[str, str, Recovery], None]


GRACE = 60.0
"""Seconds between SIGTERM and SIGKILL on a spot instance."""


def started_on(cluster: Nodes, sweep: FaultySweep, count: int) -> Node:
    """Wait until ``count`` networks were begun; returns the node of the last."""
    sweep.start()
    return cluster.node_of(sweep.await_begun(count).pid)


@pytest.mark.parametrize(
    ("fault", "program"), [("raylet killed", "raylet"), ("worker node dead", "")]
)
def test_the_work_of_a_dead_node_goes_on_elsewhere(
    cluster: Nodes,
    faulty: Faulty,
    undisturbed: pa.Table,
    matrix: Matrix,
    fault: str,
    program: str,
) -> None:
    sweep = faulty("ray", cluster.environment)
    node = started_on(cluster, sweep, 4)
    dead = strike(sweep, lambda: node.kill(program))
    told = sweep.end()
    assert sweep.driver.returncode == 0, told
    node.gone()
    matrix(fault, "goes on by itself on other nodes", recovered(sweep, dead, undisturbed))


def test_the_work_of_a_spot_node_goes_on_elsewhere(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty("ray", cluster.environment)
    node = started_on(cluster, sweep, 4)
    fault = strike(sweep, lambda: node.terminate(GRACE))
    took = time.time() - fault.at
    told = sweep.end()
    assert sweep.driver.returncode == 0, told
    happens = f"its processes are gone after {took:.0f} s; goes on by itself on other nodes"
    matrix("SIGTERM to a worker node (spot)", happens, recovered(sweep, fault, undisturbed))


def test_without_a_head_the_driver_ends_and_on_a_new_one_it_goes_on(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty("ray", cluster.environment)
    sweep.start()
    sweep.await_begun(4)
    fault = strike(sweep, cluster.head.kill)
    told = sweep.end()
    noticed = time.time() - fault.at
    assert sweep.driver.returncode == 1
    last = told.splitlines()[-1]
    assert "is gone, it has not answered for" in last
    assert last.endswith("what was committed is kept; once Ray is up again, run the same command")
    assert "Traceback" not in told
    assert "RUNNING" not in {status for _, status in sweep.runs()}
    cluster.complete()
    sweep.run()
    cost = recovered(sweep, fault, undisturbed, since=sweep.started)
    happens = f"ends after {noticed:.0f} s with a message, code 1; `run` again goes on"
    matrix("Ray head dead", happens, cost)
