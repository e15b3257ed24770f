"""Accuracy by level and task, averaged over parents."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orchestrator.analysis.blocks import DENSE, Block
from orchestrator.analysis.intervals import spread, wilson_interval

Row = tuple[object, ...]


def curves(block: Block, confidence: float) -> Iterator[Row]:
    """Yield one point per level and task of a block; the parents themselves are those of ``dense``.

    Yields:
        (network, method, schedule, task, distribution, level, ratio, accuracy, low, high, parents):
        the ratio is the mean achieved one over the parents that count.

    """
    name = (block.network, block.method, block.schedule)
    examples = block.examples[:, None]
    first = 0 if block.method == DENSE else 1
    for place, level in enumerate(block.levels[first:], start=first):
        accuracy = (examples - block.errors[:, place]) / examples
        known = spread(accuracy, (examples - block.resampled[:, :, place]) / examples)
        low, high = wilson_interval(known, confidence, block.examples)
        for i in np.flatnonzero(known.parents):
            ratio = block.ratios[place, ~np.isnan(accuracy[i])].mean()
            where = (block.tasks[i], block.distributions[i], level, ratio)
            yield (*name, *where, known.mean[i], low[i], high[i], known.parents[i])
