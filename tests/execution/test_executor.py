import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.execution.executor import LocalExecutor, StoreTrial, cause_of, throttled
from orchestrator.execution.frontier import Outcome
from tests.execution.conftest import make_chain
from workers.contracts import (
    Chain,
    Component,
    DataError,
    Event,
    Report,
    Runtime,
    TaskCell,
)

TASKS = (TaskCell(key="t", label="nominal", task=Component("nominal")),)


def failing(name: str, *errors: BaseException) -> Callable[..., None]:
    """A trial that raises the next of ``errors`` each time ``name`` is tried, then succeeds."""
    left = list(errors)

    def trial(chain: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
        if chain.name == name and left:
            raise left.pop(0)

    return trial


CHAINS = [make_chain("a"), make_chain("b"), make_chain("a1", "a"), make_chain("b1", "b")]


def run(executor: LocalExecutor, chains: Sequence[Chain] = CHAINS) -> tuple[Outcome, list[str]]:
    events: list[Event] = []
    outcome = executor.run(chains, TASKS, (), events.append)
    return outcome, [f"{event.chain} {event.kind}" for event in events]


def test_runs_every_chain_after_its_parent_with_the_tasks() -> None:
    seen = []
    outcome, events = run(LocalExecutor(lambda chain, tasks, report: seen.append((chain, tasks))))
    assert seen == [(chain, TASKS) for chain in CHAINS]
    assert events == [f"{chain.name} {kind}" for chain in CHAINS for kind in ("start", "finished")]
    assert outcome == Outcome()


def test_events_of_the_trial_reach_the_report() -> None:
    event = Event(chain="a", kind="epoch", done=1, total=2)
    events: list[Event] = []
    LocalExecutor(lambda chain, tasks, report: report(event)).run(CHAINS[:1], (), (), events.append)
    assert events[1] == event


def test_a_failure_blocks_its_heirs_and_nothing_else() -> None:
    outcome, events = run(LocalExecutor(failing("a", DataError("no such file\nlook there"))))
    assert outcome == Outcome(failed={"a": "DataError: no such file"}, blocked={"a1": "a"})
    assert events == [
        *("a start", "a failed", "a1 blocked"),
        *("b start", "b finished", "b1 start", "b1 finished"),
    ]


def test_a_passing_failure_is_tried_again() -> None:
    outcome, events = run(LocalExecutor(failing("a", OSError("x"), OSError("y"))), CHAINS[:1])
    assert outcome == Outcome()
    assert events == ["a start", "a retry", "a start", "a retry", "a start", "a finished"]


def test_retries_are_counted() -> None:
    executor = LocalExecutor(failing("a", OSError("x"), OSError("y")), retries=1)
    outcome, events = run(executor, CHAINS[:1])
    assert outcome.failed == {"a": "OSError: y"}
    assert events == ["a start", "a retry", "a start", "a failed"]


def test_a_permanent_error_is_not_tried_again() -> None:
    _, events = run(LocalExecutor(failing("a", DataError("gone"))), CHAINS[:1])
    assert events == ["a start", "a failed"]


def test_ctrl_c_ends_the_run() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(LocalExecutor(failing("a", KeyboardInterrupt())))


def test_sigterm_ends_the_run_like_ctrl_c_and_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run(LocalExecutor(lambda *args: os.kill(os.getpid(), signal.SIGTERM)))
    assert signal.getsignal(signal.SIGTERM) == before


def test_cause_of() -> None:
    assert cause_of(ValueError("first\nsecond")) == "ValueError: first"
    assert cause_of(ValueError()) == "ValueError"


def test_throttled_drops_epochs_that_come_fast_but_never_the_last() -> None:
    now = 0.0
    passed: list[Event] = []
    report = throttled(passed.append, clock=lambda: now)
    epochs = [Event(chain="a", kind="epoch", done=i, total=9) for i in range(1, 10)]
    for event in epochs:
        report(event)
        now += 0.4
    network = Event(chain="a", kind="network")
    report(network)
    assert passed == [epochs[0], epochs[3], epochs[6], epochs[8], network]


def test_throttled_drops_evaluations_that_come_fast_but_never_the_last() -> None:
    passed: list[Event] = []
    report = throttled(passed.append, clock=lambda: 0.0)
    cells = [Event(chain="a", kind="cells", done=i, total=3) for i in (1, 2, 3)]
    for event in cells:
        report(event)
    assert passed == [cells[0], cells[2]]


@pytest.mark.parametrize("error", [None, DataError("gone")])
def test_a_store_trial_runs_the_workers_and_always_releases_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    calls: list[Any] = []

    def run_chain(chain: Chain, tasks: Any, store: Any, runtime: Runtime, report: Report) -> None:
        calls.append((chain, tasks, store.has("0" * 64), runtime))
        if error:
            raise error

    workers = SimpleNamespace(run_chain=run_chain, release=lambda: calls.append("released"))
    monkeypatch.setitem(sys.modules, "workers.run", workers)
    runtime = Runtime(device="cpu")
    outcome, _ = run(LocalExecutor(StoreTrial(tmp_path, runtime)), CHAINS[:1])
    assert calls == [(CHAINS[0], TASKS, False, runtime), "released"]
    assert outcome.failed == ({"a": "DataError: gone"} if error else {})
