"""Draws with replacement: how many find a given number of different units, and what they find."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

STEPS = 52
"""Halvings of an interval of 100 in log(draws): down to the last bits."""
NODES = 1024
"""Numbers of draws in the table, evenly spaced in log(draws)."""
BLOCK = 2**22
"""Pairs of node and unit that are looked at at a time."""


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


def draws_for_every_count(score: Tensor) -> Tensor:
    """Solve as ``draws_for`` does for 0, 1, 2, … different units, by a table of the left side.

    Between its nodes the table is a cubic of the right slopes: the draws are right to some 1e-6 at
    a cost of nodes · units, where solving for every count takes halvings · units².

    Args:
        score: (units,), float64, not negative.

    Returns:
        (units,) float64, at least 1; ∞ where no number of draws finds as many on average.

    """
    counts = torch.arange(len(score), device=score.device, dtype=score.dtype)
    possible = int((score > 0).sum())
    most = draws_for(counts[None, max(possible - 1, 0)], score[None])
    log_draws = torch.linspace(0, max(1.0, float(most.log())), NODES).to(score)
    stay = torch.log1p(-(score / score.sum().clamp(min=torch.finfo(score.dtype).tiny)).clamp(max=1))
    found, slope = _table(stay, log_draws)
    right = torch.searchsorted(found, counts).clamp(1, NODES - 1)
    left, step = right - 1, log_draws[1] - log_draws[0]
    place = _cubic_root(counts, found[left], found[right], slope[left] * step, slope[right] * step)
    draws = (log_draws[left] + place * step).exp()
    return draws.masked_fill(counts >= possible, torch.inf)


def _table(stay: Tensor, log_draws: Tensor) -> tuple[Tensor, Tensor]:
    """Σ 1 − (1 − q)^N over the units, and its derivative in log N, at every node."""
    found, slope = [], []
    for nodes in torch.split(log_draws, max(1, BLOCK // len(stay))):
        exponent = nodes.exp()[:, None] * stay
        lost = exponent.exp()
        found.append(-torch.expm1(exponent).sum(1))
        slope.append(-(exponent * lost).nan_to_num(0.0).sum(1))
    return torch.cat(found), torch.cat(slope)


def _cubic_root(value: Tensor, y0: Tensor, y1: Tensor, d0: Tensor, d1: Tensor) -> Tensor:
    """Where in [0, 1] the cubic from y0 to y1 with the slopes d0 and d1 reaches ``value``."""
    low, high = torch.zeros_like(value), torch.ones_like(value)
    a, b = 2 * (y0 - y1) + d0 + d1, 3 * (y1 - y0) - 2 * d0 - d1
    for _ in range(STEPS):
        middle = (low + high) / 2
        enough = ((a * middle + b) * middle + d0) * middle + y0 >= value
        high, low = torch.where(enough, middle, high), torch.where(enough, low, middle)
    return high


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
