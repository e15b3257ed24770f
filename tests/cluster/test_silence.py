"""A trial of which nothing is heard is ended and tried again; tests/faults has more that hang."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray
from ray import cloudpickle

from orchestrator.cluster.executor import RayExecutor
from orchestrator.cluster.silence import Silence
from orchestrator.execution.frontier import Outcome
from tests.execution.conftest import make_chain
from workers.contracts import Chain, Event, Report, TaskCell

cloudpickle.register_pickle_by_value(sys.modules[__name__])


def hold_the_lock() -> None:
    # A single opcode of minutes: no other thread of the process can run.
    sum(range(10**12))


@pytest.fixture
def session() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_a_trial_that_holds_the_interpreter_is_ended_and_tried_again(
    session: None, tmp_path: Path
) -> None:
    def trial(chain: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
        report(Event(chain=chain.name, kind="cells", detail=str(os.getpid())))
        first = tmp_path / "first"
        if not first.exists():
            first.touch()
            hold_the_lock()

    events: list[Event] = []
    executor = RayExecutor(trial=trial, retries=1, silence=6)
    outcome = executor.run([make_chain("c")], (), (), events.append)
    assert outcome == Outcome()
    kinds = [event.kind for event in events]
    assert kinds == ["start", "cells", "retry", "start", "cells", "finished"]
    assert events[2].detail == "hung: nothing was heard of it for 6 s"
    hung = int(events[1].detail)
    assert gone(hung), "the process that hung still holds its memory"


def gone(process: int, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.2)
    return False


def test_only_silence_ends_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[object] = []
    monkeypatch.setattr(ray, "kill", killed.append)
    now = 0.0
    one, two = (
        SimpleNamespace(trial_id=name, temporary_state=SimpleNamespace(ray_actor=name))
        for name in ("one", "two")
    )
    silence = Silence(10, lambda: now)
    silence.hear(one)
    silence.hear(two)
    now = 9.0
    silence.check()
    silence.hear(two)
    now = 12.0
    silence.check()
    silence.check()
    assert killed == ["one"]
    assert silence.forget(one) == "hung: nothing was heard of it for 10 s"
    assert silence.forget(two) is None
    assert silence.forget(two) is None
    never = Silence(0, lambda: now)
    never.hear(one)
    now = 1e9
    never.check()
    assert killed == ["one"]
