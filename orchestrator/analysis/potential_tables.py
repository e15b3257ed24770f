"""Tables of the prune potential: per parent, per task, and over the tasks of a distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.analysis.blocks import Block
from orchestrator.analysis.intervals import Spread, spread, student_interval
from orchestrator.analysis.potential import (
    Rule,
    allowed_errors,
    next_ratio,
    prune_potential,
)

Array = NDArray[Any]
Row = tuple[object, ...]
OverTasks = Callable[[Array], Array]
STATISTICS: dict[str, Callable[..., Any]] = {"mean": np.mean, "minimum": np.min}


class Potentials:
    """The potentials of one block at one δ and rule, on the test set and on its resamples.

    Attributes:
        measured: shape (tasks, parents); NaN unless the parent and every level were measured.
        resampled: shape (resamples, tasks, parents).
        smoothed: of parents drawn between and around the measured ones, (resamples, tasks, 1).
        following: the next ratio of the ladder, shape (tasks, parents).
        top: the largest measured ratio, which no potential exceeds.

    """

    def __init__(self, block: Block, delta: float, rule: Rule) -> None:
        ratios = block.ratios[1:]
        most = [allowed_errors(delta, n, whole=block.whole) for n in block.examples]
        allowed = np.array(most)[:, None, None]
        gained = block.errors[:, 1:] - block.errors[:, :1]
        # A chain that broke off has no potential: its high ratios would count as failures.
        whole = ~np.isnan(gained).any(axis=1)
        found = prune_potential(gained, ratios, allowed, rule)
        self.measured: Array = np.where(whole, found, np.nan)
        drawn = block.resampled[:, :, 1:] - block.resampled[:, :, :1]
        self.resampled: Array = prune_potential(drawn, ratios, allowed, rule)
        middle = np.nanmean(ratios, axis=1, keepdims=True)
        self.smoothed: Array = prune_potential(block.smoothed[..., None], middle, allowed, rule)
        self.following = next_ratio(self.measured, ratios)
        self.top = float(np.nanmax(ratios, initial=0.0))

    def mean(self, statistic: OverTasks, confidence: float) -> tuple[Spread, Array, Array]:
        """Average a statistic of the tasks' potentials over parents, with its interval.

        A few lumpy values scatter by luck, or agree. Between parents the standard deviation is
        therefore at least that of the smoothed parents, and at least step / √12: a value read off
        the ladder is uncertain by the step to the next one.
        """
        values = statistic(self.measured)
        reading = (statistic(self.following) - values) / np.sqrt(12)
        at_least = np.maximum(reading, statistic(self.smoothed).std(axis=0))
        known = spread(values, statistic(self.resampled), at_least=at_least)
        return known, *student_interval(known, confidence, 0.0, self.top)


def by_parent(block: Block, found: Potentials, delta: float, rule: Rule) -> Iterator[Row]:
    """Yield one row of ``Results.by_parent`` per task and parent with a potential."""
    name = (block.network, block.method, block.schedule)
    for (task, parent), potential in np.ndenumerate(found.measured):
        if not np.isnan(potential):
            where = (block.seeds[parent], block.tasks[task], block.distributions[task])
            yield (*name, *where, delta, rule, potential)


def per_task(
    block: Block, found: Potentials, delta: float, rule: Rule, confidence: float
) -> Iterator[Row]:
    """Yield one row of ``Results.potentials`` per task with a potential."""
    name = (block.network, block.method, block.schedule)
    known, low, high = found.mean(lambda potentials: potentials, confidence)
    for i in np.flatnonzero(known.parents):
        where = (block.tasks[i], block.distributions[i])
        yield (*name, *where, delta, rule, known.mean[i], low[i], high[i], known.parents[i])


def summary(
    block: Block, found: Potentials, delta: float, rule: Rule, confidence: float
) -> Iterator[Row]:
    """Yield one row of ``Results.summary`` per distribution and statistic.

    A parent counts when no task of the distribution is missing: over fewer tasks the mean and the
    minimum would be of something else.
    """
    name = (block.network, block.method, block.schedule)
    for distribution in ("train", "test"):
        inside = block.distributions == distribution
        for statistic, over in STATISTICS.items() if inside.any() else ():
            known, low, high = found.mean(_over_tasks(over, inside), confidence)
            if known.parents:
                values = (known.mean[()], low[()], high[()], known.parents[()])
                yield (*name, distribution, statistic, delta, rule, *values)


def _over_tasks(statistic: Callable[..., Any], inside: NDArray[np.bool_]) -> OverTasks:
    """Apply a statistic to the tasks of a distribution, (..., tasks, parents) → (..., parents)."""
    return lambda potentials: np.asarray(statistic(potentials[..., inside, :], axis=-2))
