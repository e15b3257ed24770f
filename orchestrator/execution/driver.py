"""One run of a sweep: what is missing goes to an executor, and what is committed to MLflow."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.execution.executor import Executor, LocalExecutor, StoreTrial
from orchestrator.execution.frontier import Outcome
from orchestrator.execution.outcome import write_outcome
from orchestrator.execution.progress import Progress
from orchestrator.search_path import search_path
from orchestrator.sweep import Sweep, revision
from orchestrator.tracking.background import BackgroundTracker
from orchestrator.tracking.location import resolve_uri
from orchestrator.tracking.tracker import Tracker
from workers.contracts import Chain, Cost, Event, Runtime

if TYPE_CHECKING:
    import pandas as pd


def drive(sweep: Sweep, executor: str, uri: str | None) -> Outcome:
    """Run what ``sweep`` lacks, show progress, keep MLflow up to date, and note what failed.

    Raises:
        KeyboardInterrupt: the user stopped it; everything committed is valid and stays.
        TrackingError: the tracking URI cannot be used at all.
        ResourcesError: a chain asks for more than there is.

    """
    state = sweep.state()
    if not state.pending:
        print(f"nothing to do: all {state.total.cells:,} cells of {sweep.spec.name} are cached")
        BackgroundTracker(open_tracker(sweep, uri), _warn).close()
        write_outcome(sweep.store, sweep.spec.name, Outcome())
        return Outcome()
    epochs_missing = {s.chain.name: s.tally.epochs - s.tally.epochs_cached for s in state.chains}
    runner, tracker = make_executor(sweep, executor), open_tracker(sweep, uri)
    with Progress(state.pending, epochs_missing) as progress, ExitStack() as stack:

        @cache  # at the first event: an executor that refuses to start leaves nothing behind
        def background() -> BackgroundTracker:
            return stack.enter_context(closing(BackgroundTracker(tracker, _warn)))

        def report(event: Event) -> None:
            progress.report(event)
            background().report(event)

        outcome = runner.run(state.pending, sweep.plan.tasks, state.done, report)
    write_outcome(sweep.store, sweep.spec.name, outcome)
    return outcome


def make_executor(sweep: Sweep, name: str) -> Executor:
    """Make the executor called ``name`` (``ray`` or ``local``) with the sweep's resources."""
    resources = sweep.spec.resources
    trial = StoreTrial(sweep.spec.store, runtime(sweep), search_path(sweep.spec.source))
    if name == "local":
        return LocalExecutor(trial, retries=resources.retries)
    from orchestrator.execution.ray_executor import RayExecutor

    return RayExecutor(
        trial=trial,
        cpus=resources.cpus,
        gpus=resources.gpus,
        workers=resources.workers,
        retries=resources.retries,
        threads=resources.threads,
    )


def runtime(sweep: Sweep) -> Runtime:
    """Say where and how fast the trials of ``sweep`` run."""
    spec = sweep.spec
    remote = "://" in str(spec.store)
    return Runtime(
        device=spec.resources.device,
        threads=spec.resources.threads,
        data_root=spec.data_root,
        cache=(spec.data_root if remote else Path(spec.store)) / "cache",
        revision=revision(spec.source.parent),
    )


def open_tracker(sweep: Sweep, uri: str | None) -> Tracker:
    """Make the tracker of ``sweep``; it connects when it first writes.

    Raises:
        TrackingError: the tracking URI cannot be used.

    """

    def cells_of(chain: Chain) -> pd.DataFrame:
        from orchestrator.collect import collect, frame

        return frame(collect(sweep.plan, sweep.store, [chain]))

    return Tracker(sweep.plan, sweep.store, resolve_uri(uri, sweep.spec), cells_of)


def prober(sweep: Sweep) -> Callable[[Chain], Cost | None]:
    """Return what judges the cost of a chain's network by timing a few steps on this machine."""

    def measure(chain: Chain) -> Cost | None:
        from workers.probe import probe

        return probe(chain, runtime(sweep))

    return measure


def workers_of(sweep: Sweep) -> int:
    """Guess how many chains will run at once: as the sweep says, or as the CPUs here allow."""
    resources = sweep.spec.resources
    return resources.workers or max((os.cpu_count() or 1) // resources.cpus, 1)


def _warn(message: str) -> None:
    print(message, file=sys.stderr)
