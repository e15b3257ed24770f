import gc
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray
from ray import cloudpickle, tune
from ray.tune.search import Searcher

from orchestrator.cluster.executor import RayExecutor
from orchestrator.cluster.searcher import PlanSearcher
from orchestrator.cluster.shares import Shares
from orchestrator.cluster.trials import cause_of_end
from orchestrator.execution.executor import Trial
from orchestrator.execution.frontier import Frontier, Outcome
from orchestrator.execution.resources import ResourcesError
from tests.execution.conftest import make_chain
from workers.contracts import Chain, Component, DataError, Event, Report, TaskCell

cloudpickle.register_pickle_by_value(sys.modules[__name__])

TASKS = (TaskCell(key="t", label="nominal", task=Component("nominal")),)


def test_the_searcher_waits_for_parents_and_finishes() -> None:
    frontier = Frontier([make_chain("a"), make_chain("a1", "a")], (), lambda event: None)
    searcher = PlanSearcher(frontier, Shares(0.5))
    assert searcher.suggest("0") == {"chain": "a", "gpus": 0.5}
    assert searcher.suggest("1") is None
    frontier.end("a", None)
    assert searcher.suggest("1") == {"chain": "a1", "gpus": 0.5}
    assert searcher.suggest("2") == Searcher.FINISHED


def test_the_searcher_finishes_when_all_that_is_left_is_blocked() -> None:
    frontier = Frontier([make_chain("a"), make_chain("a1", "a")], (), lambda event: None)
    searcher = PlanSearcher(frontier, Shares(0))
    searcher.suggest("0")
    frontier.end("a", "boom")
    assert searcher.suggest("1") == Searcher.FINISHED


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        (None, "the worker process died"),
        ("", "the worker process died"),
        ("Failure # 1 (occurred at noon)", "the worker process died"),
        ("Failure # 1\nearlier\nFailure # 2\nlost\nmore", "the worker process died: lost"),
    ],
)
def test_a_death_has_a_cause_whatever_ray_wrote(
    tmp_path: Path, written: str | None, cause: str
) -> None:
    file = tmp_path / "error.txt"
    if written is not None:
        file.write_text(written)
    assert cause_of_end(SimpleNamespace(last_result={}, error_file=str(file))) == cause


def test_a_death_has_a_cause_without_a_file_too() -> None:
    trial = SimpleNamespace(last_result={}, error_file=None)
    assert cause_of_end(trial) == "the worker process died"


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def once(folder: Path, name: str) -> bool:
    """Whether ``name`` is asked about for the first time, in whichever process."""
    try:
        (folder / name.replace("/", "-")).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def eventful(folder: Path) -> Trial:
    """A trial that fails in the way that the name of its chain says."""

    def trial(chain: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
        first = once(folder, chain.name)
        report(Event(chain=chain.name, kind="cells", done=len(tasks), detail=str(os.getpid())))
        if chain.name == "raises":
            raise ValueError("first line\nsecond line")
        if chain.name == "is permanent":
            raise DataError("gone")
        if chain.name == "dies":
            os._exit(1)
        if chain.name == "exits once" and first:
            os._exit(1)
        if chain.name == "is killed once" and first:
            time.sleep(60)

    return trial


@dataclass
class Run:
    outcome: Outcome
    events: list[Event]

    def kinds(self, chain: str) -> list[str]:
        return [event.kind for event in self.events if event.chain == chain]

    def pids(self, chain: str) -> list[str]:
        return [e.detail for e in self.events if e.chain == chain and e.kind == "cells"]


FAILURES = ("raises", "is permanent", "dies", "exits once", "is killed once")


@pytest.fixture(scope="module")
def eventful_run(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    parents = [make_chain(name) for name in (*FAILURES, "is fine")]
    heirs = [make_chain(f"{parent.name}/heir", parent.name) for parent in parents]
    heirs.append(make_chain("early", "complete"))
    events: list[Event] = []

    def report(event: Event) -> None:
        earlier = [e.chain for e in events if e.kind == "cells"]
        events.append(event)
        if (
            event.kind == "cells"
            and event.chain == "is killed once"
            and "is killed once" not in earlier
        ):
            os.kill(int(event.detail), signal.SIGKILL)

    executor = RayExecutor(trial=eventful(tmp_path_factory.mktemp("once")), retries=1)
    return Run(executor.run([*heirs, *parents], TASKS, {"complete"}, report), events)


@pytest.mark.slow
def test_a_failure_blocks_its_heirs_and_nothing_else(eventful_run: Run) -> None:
    died = "the worker process died: The actor died unexpectedly before finishing this task."
    assert eventful_run.outcome.failed == {
        "raises": "ValueError: first line",
        "is permanent": "DataError: gone",
        "dies": died,
    }
    assert eventful_run.outcome.blocked == {f"{n}/heir": n for n in FAILURES[:3]}
    for name in ("is fine", "is fine/heir", "early", "exits once/heir", "is killed once/heir"):
        assert eventful_run.kinds(name) == ["start", "cells", "finished"]
    for name in ("raises", "dies"):
        assert eventful_run.kinds(name) == ["start", "cells", "retry", "start", "cells", "failed"]
        assert eventful_run.kinds(f"{name}/heir") == ["blocked"]


@pytest.mark.slow
def test_chains_start_after_their_parents_finished(eventful_run: Run) -> None:
    order = [(event.chain, event.kind) for event in eventful_run.events]
    for name in ("is fine", "exits once", "is killed once"):
        assert order.index((name, "finished")) < order.index((f"{name}/heir", "start"))


@pytest.mark.slow
def test_a_permanent_error_is_not_tried_again(eventful_run: Run) -> None:
    assert eventful_run.kinds("is permanent") == ["start", "cells", "failed"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exits once", "is killed once", "raises"])
def test_a_retry_runs_in_a_fresh_process(eventful_run: Run, name: str) -> None:
    first, second = eventful_run.pids(name)
    assert first != second


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exits once", "is killed once"])
def test_a_chain_survives_the_death_of_its_process(eventful_run: Run, name: str) -> None:
    assert eventful_run.kinds(name) == ["start", "cells", "retry", "start", "cells", "finished"]


class Deadly:
    """An option of a chain that ends each process which reads it, but for the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return read, (self.folder,)


def read(folder: Path) -> Deadly:
    if not once(folder, "read"):
        os._exit(1)
    return Deadly(folder)


@pytest.mark.slow
def test_a_death_without_a_word_has_no_cause_of_an_earlier_try(
    cluster: None, tmp_path: Path
) -> None:
    def trial(chain: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
        raise ValueError("of the first try")

    chain = replace(make_chain("a"), model=Component("net", {"deadly": Deadly(tmp_path)}))
    events: list[Event] = []
    RayExecutor(trial=trial, retries=1).run([chain], (), (), events.append)
    assert [(event.kind, event.detail.partition(":")[0]) for event in events] == [
        ("start", ""),
        ("retry", "ValueError"),
        ("failed", "the worker process died"),
    ]


@pytest.mark.slow
def test_events_carry_what_the_trial_was_given(eventful_run: Run) -> None:
    cells = [event for event in eventful_run.events if event.kind == "cells"]
    assert {event.done for event in cells} == {len(TASKS)}


@pytest.mark.slow
def test_two_hundred_chains_share_a_few_processes(cluster: None, tmp_path: Path) -> None:
    parents = [make_chain(f"p{p}") for p in range(20)]
    heirs = [make_chain(f"p{p}c{c}", f"p{p}") for p in range(20) for c in range(9)]
    events: list[Event] = []
    kept = 0

    def report(event: Event) -> None:
        nonlocal kept
        events.append(event)
        if event.kind == "finished" and len(events) > 590:
            trials = [each for each in gc.get_objects() if type(each) is tune.experiment.Trial]
            kept = max(kept, len(trials))

    start = time.monotonic()
    outcome = RayExecutor(trial=eventful(tmp_path)).run(parents + heirs, TASKS, (), report)
    assert outcome == Outcome()
    assert sum(event.kind == "finished" for event in events) == 200
    assert 0 < kept < 10  # the driver's memory does not grow with what has ended
    assert len({event.detail for event in events if event.kind == "cells"}) <= 20
    assert time.monotonic() - start < 60


@pytest.mark.slow
def test_a_trial_that_no_machine_can_fit_is_refused(cluster: None) -> None:
    executor = RayExecutor(trial=lambda *args: None, gpus=0.5, need=lambda chain: 0.1)
    with pytest.raises(ResourcesError, match=r"asks for 0\.5 GPU, this machine has 0"):
        executor.run([make_chain("a")], (), (), lambda event: None)


def test_nothing_to_do_starts_no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("Ray was started"))
    executor = RayExecutor(trial=lambda *args: None)
    assert executor.run([], (), (), lambda event: None) == Outcome()


DRIVER = """
import os, sys, time
from orchestrator.cluster.executor import RayExecutor
from tests.execution.conftest import make_chain
from workers.contracts import Event

def trial(chain, tasks, report):
    report(Event(chain=chain.name, kind="cells", detail=str(os.getpid())))
    while True:
        time.sleep(0.1)

def report(event):
    if event.kind == "cells":
        print(event.detail, flush=True)

try:
    RayExecutor(trial=trial, workers=2).run([make_chain("a"), make_chain("b")], (), (), report)
except KeyboardInterrupt:
    sys.exit(42)
"""


@contextmanager
def driver(mark: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that runs two endless trials; with the process identifiers of the trials."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        env=os.environ | {"PRUNESWEEP_TEST_MARK": mark, "PYTHONPATH": str(root)},
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        yield process, [int(process.stdout.readline()) for _ in range(2)]


def marked(mark: str) -> set[int]:
    """Processes that were started with ``mark`` in their environment."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile, or is somebody else's
            if mark.encode() in path.read_bytes():
                found.add(int(path.parent.name))
    return found


def remain(pids: Callable[[], set[int]], seconds: float) -> set[int]:
    """What is left of ``pids`` when nothing is, or after ``seconds``."""
    deadline = time.monotonic() + seconds
    while (left := pids()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    ("send", "number"),
    [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)],
    ids=["ctrl-c", "sigterm"],
)
def test_an_interrupt_leaves_no_process(send: Callable[[int, int], None], number: int) -> None:
    mark = uuid.uuid4().hex
    with driver(mark) as (process, trials):
        assert marked(mark) > {process.pid, *trials}
        send(process.pid, number)
        assert process.wait(timeout=10) == 42
        assert remain(lambda: marked(mark), seconds=5) == set()


@pytest.mark.slow
@linux
def test_trials_end_with_a_killed_driver() -> None:
    mark = uuid.uuid4().hex
    with driver(mark) as (process, trials):
        process.kill()
        assert remain(lambda: marked(mark) & set(trials), seconds=20) == set()
