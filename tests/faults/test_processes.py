"""One process dies or hangs: the driver, a worker; or the driver is asked to end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from tests.faults.nodes import Nodes
from tests.faults.processes import marked, send, wait_for
from tests.faults.recovery import Recovery, recovered, strike
from tests.faults.sweep import FaultySweep

pytestmark = pytest.mark.slow

SILENCE = 15
"""Seconds without news after which a trial counts as hung: more than a worker needs to start."""

Faulty = Callable[..., FaultySweep]
Matrix = Callable[[str, str, Recovery], None]


def test_after_a_killed_driver_one_command_goes_on(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty("ray", cluster.environment)
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
    sweep = faulty("ray", cluster.environment)
    sweep.start()
    chain = {key for one in sweep.sweep.plan.chains for key in one.networks[1:]}
    inside = sweep.await_one_of(chain)
    fault = strike(sweep, lambda: send(signal.SIGKILL, inside.pid))
    told = sweep.end()
    assert sweep.driver.returncode == 0, told
    assert "trying again after the worker process died" in told
    matrix("worker process killed", "goes on by itself", recovered(sweep, fault, undisturbed))


def test_trials_that_hang_are_ended_and_tried_again(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty("ray", cluster.environment, resources={"silence": SILENCE})
    sweep.start()
    stopped = sweep.await_begun(3)
    fault = strike(sweep, lambda: send(signal.SIGSTOP, stopped.pid))
    sweep.hang_next()
    hung = sweep.await_begun(4)
    wait_for(lambda: len(sweep.repeated()) == 2, "the second attempts")
    assert sweep.repeated() == {stopped.key: 1, hung.key: 1}
    assert not {stopped.pid, hung.pid} & marked("").keys(), "what hung still holds its memory"
    told = sweep.end()
    assert sweep.driver.returncode == 0, told
    for one in (stopped, hung):
        chain = sweep.chain_of(one.key)
        assert f"{chain}: trying again after hung: nothing was heard of it for {SILENCE} s" in told
    happens = f"both are ended after `resources.silence` ({SILENCE} s here); goes on by itself"
    cost = recovered(sweep, fault, undisturbed)
    matrix("two trials hang: one stopped, one in Python", happens, cost)


def test_a_driver_that_is_asked_to_end_does_so_within_its_grace(
    cluster: Nodes, faulty: Faulty, undisturbed: pa.Table, matrix: Matrix
) -> None:
    sweep = faulty("ray", cluster.environment)
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
    matrix("SIGTERM to the driver (spot)", "ends in order, code 130; `run` again goes on", cost)
