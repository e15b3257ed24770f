"""Poisson draws for 8-bit images, by the alias method."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEVELS = 256
CHUNK = 1 << 15
"""Draws made at once, few enough that what they pass through stays in the processor's cache."""


def poisson(levels: Tensor, photons: int, generator: torch.Generator) -> Tensor:
    """Draw Poisson(level · photons / 255) for every grey level, from one uniform number each.

    Walker (1977), "An efficient method for generating discrete random variables with general
    distributions": for each of the 256 means, equal columns are shared by two counts at most. The
    24 bits of the number pick the column and which of the two, so that a probability is off by
    2⁻²⁴ at most.

    Args:
        levels: ``int32`` of 0 to 255, any shape.
        photons: mean count at level 255.
        generator: on the device of ``levels``.

    Returns:
        ``float32`` of that shape: the counts.

    """
    lowest, share, other = (table.to(levels.device) for table in _tables(photons))
    columns = len(share) // LEVELS
    counts = torch.empty(levels.shape, device=levels.device).uniform_(generator=generator)
    chunks = (torch.split(flat, CHUNK) for flat in (counts.view(-1), levels.view(-1)))
    for drawn, level in zip(*chunks, strict=True):
        drawn *= columns
        column = drawn.trunc()
        cell = level * columns + column.int()
        # Counts are whole, so that their sums and products are exact, and faster than a choice.
        is_own = drawn.sub_(column).lt_(share.index_select(0, cell))
        own, another = lowest.index_select(0, level).add_(column), other.index_select(0, cell)
        is_own.mul_(own.sub_(another)).add_(another)
    return counts


@lru_cache(maxsize=10)
def _tables(photons: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make each level's lowest count, each column's share of its own count, and the other count.

    At every step the richest column fills up the poorest, in all levels at once.
    """
    mean = np.arange(LEVELS, dtype=np.float64) * (photons / 255)
    columns = 1 << int(16 * sqrt(photons) + 24).bit_length()
    lowest = np.maximum(mean.round() - columns // 2, 0)
    weight = _probabilities(lowest[:, None] + np.arange(columns), mean[:, None]) * columns
    share, other = np.ones_like(weight), np.zeros_like(weight)
    for _ in range(columns):
        poorest, richest = weight.argmin(1), weight.argmax(1)
        level = np.nonzero(weight.min(1) < 1)[0]
        poor, rich = (level, poorest[level]), (level, richest[level])
        share[poor], other[poor] = weight[poor], lowest[level] + rich[1]
        weight[rich] -= 1 - weight[poor]
        weight[poor] = 1
    tables = (torch.from_numpy(table).float().view(-1) for table in (lowest, share, other))
    first, shares, others = tables
    return first, shares, others


def _probabilities(count: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import gammaln, xlogy

    probability = np.exp(xlogy(count, mean) - mean - gammaln(count + 1))
    normalised: NDArray[np.float64] = probability / probability.sum(1, keepdims=True)
    return normalised
