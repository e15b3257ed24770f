"""Trials that share GPUs; the GPUs are Ray's word alone here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import cloudpickle

from orchestrator.cluster.executor import RayExecutor
from orchestrator.cluster.scheduler import Forgetful
from orchestrator.cluster.shares import Shares
from orchestrator.execution.executor import Trial
from orchestrator.execution.frontier import Outcome
from tests.execution.conftest import make_chain
from workers.contracts import Chain, Event, Report, TaskCell

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class OutOfMemoryError(RuntimeError):
    """What PyTorch raises has this name."""


def chains(count: int, network: str = "net") -> list[Chain]:
    return [replace(make_chain(f"{network}{n}"), network=network) for n in range(count)]


@pytest.fixture(scope="module")
def gpus() -> Iterator[None]:
    ray.init(address="local", num_cpus=8, num_gpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def resting(folder: Path, fails_below: float = 0.0, together: int = 1) -> Trial:
    """A trial that notes with how much of a GPU it ran, and waits for others to run beside it."""

    def trial(chain: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
        share = ray.get_runtime_context().get_assigned_resources().get("GPU", 0.0)
        start = time.time()
        if share < fails_below:
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        (folder / chain.name).touch()
        deadline = start + 60
        while together > sum(1 for _ in folder.iterdir()) and time.time() < deadline:
            time.sleep(0.05)
        line = f"{chain.name} {share} {start} {time.time()}\n"
        with (folder / "log").open("a") as log:
            log.write(line)

    return trial


def log(folder: Path) -> list[tuple[str, float, float, float]]:
    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    return [(name, float(share), float(start), float(end)) for name, share, start, end in lines]


def most_at_once(folder: Path) -> int:
    spans = [(start, end) for _, _, start, end in log(folder)]
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


def run(count: int, trial: Trial, need: Callable[[Chain], float] | None = None) -> list[Event]:
    events: list[Event] = []
    executor = RayExecutor(trial=trial, gpus=0.25, need=need, retries=2)
    assert executor.run(chains(count), (), (), events.append) == Outcome()
    return events


@pytest.mark.slow
def test_shares_are_packed(gpus: None, tmp_path: Path) -> None:
    run(12, resting(tmp_path, together=5))
    assert {share for _, share, _, _ in log(tmp_path)} == {0.25}
    assert 5 <= most_at_once(tmp_path) <= 8


@pytest.mark.slow
def test_a_network_that_needs_more_is_given_more(
    gpus: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events = run(4, resting(tmp_path, fails_below=0.5), need=lambda chain: 0.491)
    assert {share for _, share, _, _ in log(tmp_path)} == {0.5}
    assert not [event for event in events if event.kind == "retry"]
    assert "a chain of net needs 0.50 of a GPU's memory" in caplog.text


class Judge:
    """Judges by a method, as the trial of a real sweep does, and only the last chain rightly."""

    def need(self, chain: Chain, tasks: Sequence[TaskCell]) -> float:
        return 0.491 if (chain.name, [*tasks]) == ("net1", []) else 0.1


@pytest.mark.slow
def test_a_method_may_judge_what_a_network_needs(gpus: None) -> None:
    shares = Shares(0.25)
    shares.measure(chains(2), partial(Judge().need, tasks=()))
    assert shares.of("net") == 0.5


@pytest.mark.slow
def test_where_no_gpu_is_free_what_was_asked_for_is_given(
    gpus: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def hangs(chain: Chain) -> float:
        time.sleep(600)
        return 1.0

    monkeypatch.setattr("orchestrator.cluster.shares.PATIENCE", 3.0)
    shares = Shares(0.25)
    shares.measure(chains(1), hangs)
    assert shares.of("net") == 0.25
    assert "no GPU has tried a chain of net within 3 s" in caplog.text


@pytest.mark.slow
def test_what_runs_out_of_memory_is_tried_again_with_more(gpus: None, tmp_path: Path) -> None:
    events = run(12, resting(tmp_path, fails_below=0.9))
    assert [share for _, share, _, _ in log(tmp_path)] == [1.0] * 12
    told = [event.detail for event in events if event.kind == "retry"]
    assert told[0] == (
        "OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB; given 0.5 of a GPU now"
    )
    assert told[-1].endswith("; given 1 of a GPU now")
    # Those that started after the first failures were given more at once.
    assert len({event.chain for event in events if event.kind == "retry"}) < 12


@pytest.mark.slow
def test_what_is_given_more_waits_for_that(
    gpus: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tune keeps what waits by its resources: one kept under its old share starves, with GPUs idle.

    That shows only now and then as a sweep that never ends, so this looks into Tune's records.
    """
    looks = 0
    misplaced: list[Any] = []
    choose = Forgetful.choose_trial_to_run

    def look(self: Forgetful, controller: Any) -> Any:
        nonlocal looks
        for resources, waiting in controller._resources_to_pending_trials.items():
            looks += len(waiting)
            misplaced.extend(one for one in waiting if one.placement_group_factory != resources)
        return choose(self, controller)

    monkeypatch.setattr(Forgetful, "choose_trial_to_run", look)
    run(4, resting(tmp_path, fails_below=0.9))
    assert looks
    assert not misplaced


def test_one_failure_teaches_all_chains_of_a_network() -> None:
    shares = Shares(0.25)
    assert (shares.of("one"), shares.of("other")) == (0.25, 0.25)
    assert shares.enlarge("one", 0.25) == 0.5
    assert shares.enlarge("one", 0.25) == 0.5
    assert shares.enlarge("one", 0.5) == 1.0
    assert shares.enlarge("one", 1.0) is None
    assert (shares.of("one"), shares.of("other")) == (1.0, 0.25)
    assert Shares(0).enlarge("one", 0.0) is None


def test_whole_gpus_are_not_tried_beforehand() -> None:
    def never(chain: Chain) -> float:
        raise AssertionError

    for asked in (0.0, 1.0, 2.0):
        Shares(asked).measure(chains(1), never)
