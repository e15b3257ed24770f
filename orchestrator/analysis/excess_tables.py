"""Tables of the excess error: points, slopes through the origin, and their bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.analysis.blocks import Block
from orchestrator.analysis.excess import excess_error, parent_slopes
from orchestrator.analysis.intervals import spread, student_interval

Row = tuple[object, ...]
BAND_RATIOS = np.linspace(0.0, 1.0, 100)


@dataclass(frozen=True)
class Excess:
    """The excess error of the pruned networks of one block.

    Attributes:
        points: rows (network, method, schedule, seed, level, ratio, excess), one per pruned
            network.
        slopes: at most one row (network, method, schedule, slope, low, high, parents, points).
        bands: rows (network, method, schedule, ratio, excess, low, high) for 100 ratios in [0, 1].
            A line through the origin is known as well as its slope, so the band is the slope's
            interval times the ratio.

    """

    points: list[Row]
    slopes: list[Row]
    bands: list[Row]


def excess_tables(block: Block, confidence: float) -> Excess:
    """Measure the excess error of a block and fit its slope over all parents and levels."""
    name = (block.network, block.method, block.schedule)
    shifted = block.distributions == "test"
    sizes = block.examples[:, None, None]
    ratios = block.ratios[1:]
    excess = excess_error(block.errors / sizes, shifted)
    points = _points(name, block, excess)
    if not points:
        return Excess([], [], [])

    slopes, weights = parent_slopes(excess, ratios)
    resampled = excess_error(block.resampled / sizes.astype(np.float32), shifted)
    known = spread(slopes, parent_slopes(resampled, ratios)[0], weights)
    low, high = student_interval(known, confidence)
    if not known.parents:
        return Excess(points, [], [])
    line = np.array([known.mean, low, high])
    bands = [(*name, x, *(x * line)) for x in BAND_RATIOS]
    return Excess(points, [(*name, *line, known.parents[()], len(points))], bands)


def _points(name: tuple[str, str, str], block: Block, excess: NDArray[np.float64]) -> list[Row]:
    """List the pruned networks whose excess error is known, by seed and level."""
    return [
        (*name, block.seeds[p], block.levels[1 + i], block.ratios[1 + i, p], excess[i, p])
        for p, i in np.argwhere(~np.isnan(excess.T))
    ]
