"""One process dies: the driver, a worker amid a chain; or the driver is asked to end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from tests.faults.nodes import Nodes
from tests.faults.recovery import Recovery, recovered, strike
from tests.faults.sweep import FaultySweep

pytestmark = pytest.mark.slow

Faulty = Callable[..., FaultySweep]
Matrix = Callable[[str, str, Recovery], None]


def test_after_a_killed_driver_one_command_goes_on(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty(cluster.environment)
    sweep.start()
    sweep.await_begun(4)
    fault = strike(sweep, sweep.driver.kill)
    sweep.end()
    assert "RUNNING" in {status for _, status in sweep.runs()}
    sweep.run()
    cost = recovered(sweep, fault, undisturbed, since=sweep.started)
    matrix("driver killed", "`run` again goes on", cost)


def test_a_killed_worker_is_replaced(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty(cluster.environment)
    sweep.start()
    chain = {key for one in sweep.sweep.plan.chains for key in one.networks[1:]}
    inside = sweep.await_one_of(chain)
    fault = strike(sweep, lambda: os.kill(inside.pid, signal.SIGKILL))
    told = sweep.end()
    assert sweep.driver.returncode == 0, told
    assert "trying again after the worker process died" in told
    matrix("worker process killed", "goes on by itself", recovered(sweep, fault, undisturbed))


def test_a_driver_that_is_asked_to_end_does_so_within_its_grace(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty(cluster.environment)
    sweep.start()
    sweep.await_begun(4)
    asked = time.monotonic()
    fault = strike(sweep, sweep.driver.terminate)
    told = sweep.end()
    assert time.monotonic() - asked < 60
    assert sweep.driver.returncode == 130
    assert "interrupted; what was committed is kept. Resume with: prunesweep run" in told
    assert "Traceback" not in told
    statuses = dict(sweep.runs())
    assert statuses["faults"] == "KILLED"
    assert "RUNNING" not in statuses.values()
    sweep.run()
    cost = recovered(sweep, fault, undisturbed, since=sweep.started)
    matrix("SIGTERM (spot)", "ends in order, code 130; `run` again goes on", cost)
