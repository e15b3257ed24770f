"""What a run of a sweep is put together from: its executor, its runtime, its tracker."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.execution.executor import Executor, LocalExecutor, StoreTrial
from orchestrator.execution.numbers import Numbers
from orchestrator.search_path import search_path
from orchestrator.sweep import Sweep, revision
from orchestrator.tracking.location import resolve_uri
from orchestrator.tracking.tracker import Tracker
from workers.contracts import Chain, Runtime

if TYPE_CHECKING:
    import pandas as pd


def make_executor(
    sweep: Sweep,
    name: str,
    numbers: Callable[[], Numbers],
    abandon: Callable[[Exception], object],
) -> Executor:
    """Make the executor called ``name`` (``ray`` or ``local``) with the sweep's resources.

    ``numbers`` says how the run goes, for the metrics of a cluster; ``abandon`` ends the process
    when that is lost.
    """
    resources = sweep.spec.resources
    trial = StoreTrial(sweep.spec.store, runtime(sweep), search_path(sweep.spec.source))
    if name == "local":
        return LocalExecutor(trial, retries=resources.retries)
    from orchestrator.cluster.executor import RayExecutor
    from orchestrator.cluster.metrics import Metrics

    return RayExecutor(
        trial=trial,
        cpus=resources.cpus,
        gpus=resources.gpus,
        workers=resources.workers,
        retries=resources.retries,
        threads=resources.threads,
        silence=resources.silence,
        need=partial(trial.need, tasks=sweep.plan.tasks),
        abandon=abandon,
        metrics=partial(Metrics, sweep.spec.name, numbers),
    )


def runtime(sweep: Sweep) -> Runtime:
    """Say where and how fast the trials of ``sweep`` run."""
    spec, resources = sweep.spec, sweep.spec.resources
    remote = "://" in str(spec.store)
    return Runtime(
        # Without GPUs a trial may still see one: Ray hides none from trials that reserve none.
        device="cpu" if resources.device == "auto" and not resources.gpus else resources.device,
        threads=resources.threads,
        decoders=resources.cpus,
        data_root=spec.data_root,
        cache=(spec.data_root if remote else Path(spec.store)) / "cache",
        revision=revision(spec.source.parent),
    )


def workers_of(sweep: Sweep) -> int:
    """Guess how many chains will run at once: as the sweep says, or as the CPUs here allow."""
    resources = sweep.spec.resources
    return resources.workers or max((os.cpu_count() or 1) // resources.cpus, 1)


def open_tracker(sweep: Sweep, uri: str | None) -> Tracker:
    """Make the tracker of ``sweep``; it connects when it first writes.

    Raises:
        TrackingError: the tracking URI cannot be used.

    """

    def cells_of(chain: Chain) -> pd.DataFrame:
        from orchestrator.collect import collect, frame
        from orchestrator.robustness.chain import scored

        cells = frame(collect(sweep.plan, sweep.store, [chain]))
        return scored(cells, sweep.plan, sweep.store, chain)

    return Tracker(sweep.plan, sweep.store, resolve_uri(uri, sweep.spec), cells_of)
