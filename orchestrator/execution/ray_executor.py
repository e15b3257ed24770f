"""Runs the pending chains of a sweep on Ray Tune: one chain is one trial.

Tune knows no dependencies among trials, but its search interface can schedule: ``PlanSearcher``
answers "not yet" while parents are running. Tune's own state is scratch and never restored; to
resume is to plan again from the store.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray import cloudpickle, tune
from ray.tune.search import Searcher

from orchestrator.execution.executor import Trial, cause_of, sigterm_interrupts, throttled
from orchestrator.execution.frontier import Frontier, Outcome
from orchestrator.execution.resources import ResourcesError
from workers.contracts import Chain, Event, PermanentError, Report, TaskCell

_DRIVER_ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Tune's handler waits for the epoch in flight
    "TUNE_GLOBAL_CHECKPOINT_S": "60",
    "TUNE_MAX_PENDING_TRIALS_PG": "16",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


@dataclass(frozen=True, kw_only=True)
class RayExecutor:
    """Runs chains side by side, on the cluster at ``RAY_ADDRESS`` or on this machine's processes.

    Attributes:
        trial: what a trial does; it is sent to other processes.
        cpus: CPUs that each trial reserves.
        gpus: GPUs that each trial reserves; trials share one if this is a fraction.
        workers: how many trials run at once, as many as fit by default.
        retries: how often a chain is tried again after a failure that may be passing.
        threads: threads of the numerical libraries in each trial.

    """

    trial: Trial
    cpus: float = 1
    gpus: float = 0.0
    workers: int | None = None
    retries: int = 2
    threads: int = 1

    def run(
        self,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        done: Collection[str],
        report: Report,
    ) -> Outcome:
        """Run every chain; see ``Executor.run``.

        Raises:
            ResourcesError: this machine can never fit a trial.

        """
        frontier = Frontier(chains, done, report)
        if frontier.exhausted:
            return frontier.outcome
        with TemporaryDirectory(ignore_cleanup_errors=True) as scratch, _session(self):
            self._tuner(frontier, chains, tasks, report, scratch).fit()
        return frontier.outcome

    @property
    def bundle(self) -> dict[str, float]:
        """What one trial reserves, in Ray's words."""
        return {name: share for name, share in (("CPU", self.cpus), ("GPU", self.gpus)) if share}

    def _tuner(
        self,
        frontier: Frontier,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        report: Report,
        scratch: str,
    ) -> tune.Tuner:
        # Serialised one by one: each trial is given them all, and loads no more than its own.
        packed = {chain.name: cloudpickle.dumps(chain) for chain in chains}
        walk = tune.with_parameters(_walk, trial=self.trial, chains=packed, tasks=tuple(tasks))
        return tune.Tuner(
            tune.with_resources(walk, tune.PlacementGroupFactory([self.bundle])),
            tune_config=tune.TuneConfig(
                search_alg=PlanSearcher(frontier),
                num_samples=-1,
                max_concurrent_trials=_slots(self, len(chains)),
                reuse_actors=True,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                storage_path=scratch,
                callbacks=[_Ear(frontier, report)],
                failure_config=tune.FailureConfig(max_failures=self.retries),
                verbose=0,
            ),
        )


class _Unsaved:
    """Tune saves its searchers and callbacks for a restore that never happens here."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class PlanSearcher(_Unsaved, Searcher):
    """Tune's search interface as a scheduler: suggests the next chain of a frontier."""

    def __init__(self, frontier: Frontier) -> None:
        """Suggest the chains of ``frontier``, which somebody else closes."""
        super().__init__()
        self._frontier = frontier

    def suggest(self, trial_id: str) -> dict[str, str] | str | None:
        """Name the next chain; None while all that is left waits for a running one."""
        if self._frontier.exhausted:
            return str(Searcher.FINISHED)
        chain = self._frontier.start()
        return None if chain is None else {"chain": chain.name}

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: only a callback is given the trial, and with it the cause of a failure."""

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: there is no restore."""


class _Ear(_Unsaved, tune.Callback):
    """Hears of every trial in the driver: forwards its events, closes its chain."""

    def __init__(self, frontier: Frontier, report: Report) -> None:
        self._frontier = frontier
        self._report = report

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        if "event" in result:
            self._report(Event(**result["event"]))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._frontier.end(trial.config["chain"], trial.last_result.get("cause"))

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._report(Event(chain=trial.config["chain"], kind="retry", detail=cause_of_end(trial)))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._frontier.end(trial.config["chain"], cause_of_end(trial))


def cause_of_end(trial: Any) -> str:
    """What the trial said last, or what Ray says of a process that died without a word."""
    if "cause" in trial.last_result:
        return str(trial.last_result["cause"])
    told = _last_failure(trial.error_file)
    return f"the worker process died: {told}" if told else "the worker process died"


def _last_failure(file: str | None) -> str:
    """The first line of the last failure in Ray's file, which Ray may not have written."""
    if file is None:
        return ""
    try:
        text = Path(file).read_text(errors="replace")
    except OSError:
        return ""
    lines = text.rpartition("Failure # ")[2].splitlines()
    return lines[1] if len(lines) > 1 else ""


def _walk(
    config: dict[str, str],
    trial: Trial,
    chains: Mapping[str, bytes],
    tasks: Sequence[TaskCell],
) -> None:
    """Run in a worker process; Tune ends it when this raises, so that a retry starts clean."""
    chain: Chain = cloudpickle.loads(chains[config["chain"]])
    try:
        _tell(Event(chain=chain.name, kind="start"))
        trial(chain, tasks, throttled(_tell))
    except PermanentError as error:
        tune.report({"cause": cause_of(error)})
    except Exception as error:
        tune.report({"cause": cause_of(error)})
        raise


def _tell(event: Event) -> None:
    tune.report({"event": asdict(event)})


@contextmanager
def _session(executor: RayExecutor) -> Iterator[None]:
    """Hold a Ray session, joined or started unless there is one already."""
    os.environ.update(_DRIVER_ENVIRONMENT)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    # Or Ray prints a paragraph for each worker that dies, which the retry's event says in a line.
    ray._private.worker._worker_logs_enabled = False
    ours = not ray.is_initialized()
    # Twice: while Ray starts it takes SIGTERM for itself, and restores nothing.
    with sigterm_interrupts():
        try:
            if ours:
                with _interrupts_deferred():
                    _start(executor)
            with sigterm_interrupts():
                yield
        finally:
            if ours:
                ray.shutdown()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Put Ctrl-C off until the end: in the middle of its start it can crash Ray.

    Ray's own handler of SIGTERM, set while it starts, raises SystemExit; that counts as Ctrl-C too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    except SystemExit:
        came.append(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _start(executor: RayExecutor) -> None:
    workers = executor.workers
    local: dict[str, Any] = {
        "address": "local",
        "num_cpus": math.ceil(workers * executor.cpus) if workers else None,
        "include_dashboard": False,
    }
    ray.init(
        **({} if _on_cluster() else local),
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={
            "env_vars": {
                "OMP_NUM_THREADS": str(executor.threads),
                "TUNE_FUNCTION_THREAD_TIMEOUT_S": "600",  # else a slow reset loses the trial
            }
        },
    )


def _slots(executor: RayExecutor, chains: int) -> int:
    """How many trials run at once; a cluster may still grow, so there Ray decides what fits."""
    slots = min(chains, executor.workers or chains)
    if _on_cluster():
        return slots
    have = ray.cluster_resources()
    for resource, share in executor.bundle.items():
        fit = int(have.get(resource, 0) / share + 1e-9)
        if not fit:
            raise ResourcesError(
                f"resources.{resource.lower()}s: a trial asks for {share:g} {resource}, "
                f"this machine has {have.get(resource, 0):g}"
            )
        slots = min(slots, fit)
    return slots


def _on_cluster() -> bool:
    return bool(os.environ.get("RAY_ADDRESS"))
