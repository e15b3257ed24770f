"""Walks a chain: skips what is committed, does the rest.

Every network is committed before it is evaluated, and every evaluation before the next level
starts, so that a crash loses the epochs since the last checkpoint, or one evaluation.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import torch

from workers.checkpoint import WEIGHTS, dump
from workers.contracts import (
    Chain,
    Event,
    PermanentError,
    Report,
    Runtime,
    Store,
    TaskCell,
    evaluation_key,
)
from workers.evaluation.evaluate import check_fit, evaluate
from workers.evaluation.predictions import PREDICTIONS
from workers.evaluation.results import to_parquet
from workers.run.measure import measure
from workers.run.networks import Stage, stages
from workers.run.site import Site
from workers.training.seeding import be_deterministic

Result = TypeVar("Result")


def run_chain(
    chain: Chain, tasks: Sequence[TaskCell], store: Store, runtime: Runtime, report: Report
) -> None:
    """Make, retrain, evaluate and measure every network of ``chain`` that ``store`` lacks.

    Raises:
        PermanentError: the chain fails and would fail again, as when its training diverges.

    """
    torch.set_num_threads(runtime.threads)
    site = Site(chain, store, runtime, report)
    be_deterministic(site.device)
    if not store.has(chain.parent):
        check_fit(tasks, site.data.test, runtime)
    for stage in stages(site):
        _make(site, stage)
        if stage.evaluated:
            _evaluate(site, stage, tasks)
    _measure(site)


def release() -> None:
    """Give back what a finished chain held, so that the next one in this process starts clean."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _make(site: Site, stage: Stage) -> None:
    if site.store.has(stage.key):
        return
    with site.store.lease(stage.lease, site.wait):
        if site.store.has(stage.key):
            return
        network, record = stage.make()
        site.store.put(stage.key, record, {WEIGHTS: dump(network)})
    if stage.evaluated:
        site.report(Event(chain=site.chain.name, kind="network", level=stage.level))


def _evaluate(site: Site, stage: Stage, tasks: Sequence[TaskCell]) -> None:
    if not _missing(site.store, stage.key, tasks):
        return
    with site.store.lease(stage.key, site.wait):
        missing = _missing(site.store, stage.key, tasks)
        if not missing:
            return
        _commit_predictions(site, stage, missing)
    site.report(_cells(site, stage, len(missing), len(missing)))


def _cells(site: Site, stage: Stage, done: int, total: int) -> Event:
    return Event(chain=site.chain.name, kind="cells", level=stage.level, done=done, total=total)


def _commit_predictions(site: Site, stage: Stage, tasks: Sequence[TaskCell]) -> None:
    start = time.perf_counter()
    predictions = evaluate(
        site.stored(stage.key),
        tasks,
        site.data.test,
        mean=site.data.train.mean,
        std=site.data.train.std,
        fingerprint=site.content,
        runtime=site.runtime,
        device=site.device,
        members=site.members,
    )
    content = to_parquet(_told(site, stage, predictions, len(tasks)))
    keys = [task.key for task in tasks]
    record = {
        "kind": "evaluation",
        "created": time.time(),
        "network": stage.key,
        "tasks": keys,
        "seconds": time.perf_counter() - start,
        "environment": site.environment(),
    }
    site.store.put(evaluation_key(stage.key, keys), record, {PREDICTIONS: content})


def _told(site: Site, stage: Stage, results: Iterable[Result], total: int) -> Iterator[Result]:
    """Pass on ``results`` and tell how many there are; the last is told when all are committed."""
    for done, result in enumerate(results, start=1):
        yield result
        if done < total:
            site.report(_cells(site, stage, done, total))


def _measure(site: Site) -> None:
    """Measure all that can be measured, then fail for what cannot."""
    unsuitable: PermanentError | None = None
    for cell in site.chain.measures:
        try:
            measure(site, cell)
        except PermanentError as error:
            unsuitable = unsuitable or error
    if unsuitable:
        raise unsuitable


def _missing(store: Store, network: str, tasks: Sequence[TaskCell]) -> list[TaskCell]:
    done = store.evaluated(network)
    return [task for task in tasks if task.key not in done]
