"""Draws with replacement: how many find a given number of different units, and what they find."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

STEPS = 52
"""Halvings of an interval of 100 in log(draws): down to the last bits."""


def draws_for(distinct: Tensor, score: Tensor) -> Tensor:
    """Solve Σ 1 − (1 − q)^N = distinct for the number of draws N, where q = score / Σ score.

    Args:
        distinct: (groups,) wanted numbers of different units.
        score: (groups, units), float64, not negative.

    Returns:
        (groups,) float64; ∞ where no number of draws finds as many on average.

    """
    q = score / score.sum(1, keepdim=True).clamp(min=torch.finfo(score.dtype).tiny)
    stay = torch.log1p(-q.clamp(max=1.0))
    low, high = torch.full_like(distinct, -1.0), torch.full_like(distinct, 99.0)
    for _ in range(STEPS):
        middle = (low + high) / 2
        # 0 · −∞ would be NaN where one unit has all of the score; N is never 0 here.
        found = -torch.expm1(stay * middle.exp()[:, None]).sum(1)
        enough = found >= distinct
        high, low = torch.where(enough, middle, high), torch.where(enough, low, middle)
    return high.exp().masked_fill(distinct >= (score > 0).sum(1), torch.inf)


def draw(count: Tensor, score: Tensor, generator: torch.Generator) -> Tensor:
    """Draw ``count`` units of every group with replacement, with probability ∝ ``score``.

    Args:
        count: (groups,) whole numbers of draws.
        score: (groups, units), float64, not negative; a group without score finds nothing.
        generator: seeds the draws.

    Returns:
        (groups, units) float64: times found / (draws · q), whose expectation is 1 for every unit.

    """
    total = score.sum(1, keepdim=True)
    q = (score / total.clamp(min=torch.finfo(score.dtype).tiny)).cpu().numpy()
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    times = np.random.default_rng(seed).multinomial(
        count.cpu().numpy().astype(np.int64) * (total[:, 0].cpu().numpy() > 0), _closed(q)
    )
    expected = count.cpu().numpy()[:, None] * q
    found = np.divide(times[:, :-1], expected, out=np.zeros_like(q), where=expected > 0)
    return torch.from_numpy(found).to(score.device)


def _closed(
    q: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Append what rounding leaves of 1, which multinomial gives to its last outcome."""
    return np.concatenate([q, np.clip(1 - q.sum(1, keepdims=True), 0, None)], axis=1)
