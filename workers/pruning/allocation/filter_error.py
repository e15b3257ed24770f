"""The least sum of the filters' error bounds (SiPP: Baykal et al., 2022, sampling variants).

The weights of one sign in one filter are a group. With the sum S of its sensitivities, P patches
and kernel size K, m draws have the error bound

    err(m) = ½ (√(u² + 6u) + u),    u = α / 3m,    α = 2 C ln(8 (P + 1) K / δ) S.

Minimising Σ err(m) / (filters of the layer) under a budget makes the derivative of err the same
everywhere (a Lagrange multiplier), so that it ranks the weights: the one of rank r in its group, by
sensitivity, stays while the multiplier is below −err′(r) / filters. The first of a group always
stays, unless the group's sensitivity is 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workers.pruning.allocation.error_level import coefficient
from workers.pruning.allocation.layer import ScoredLayer, ranks


def filter_error(layer: ScoredLayer) -> Tensor:
    """Priority of every weight of ``layer``: the multiplier at which it goes."""
    priority = torch.zeros_like(layer.score, dtype=torch.float64)
    for sign in (1, -1):
        members = (layer.weight.sign() == sign).flatten(1)
        score = layer.score.flatten(1).double() * members
        alpha = coefficient(layer) * score.sum(1, keepdim=True)
        slope = _slope(alpha, ranks(score, members)) / len(score)
        priority += torch.where(members, slope, 0).view_as(priority)
    return priority


def bound(alpha: Tensor, draws: Tensor) -> Tensor:
    """Return err(m), ∞ for no draws."""
    u = alpha / (3 * draws)
    return ((u * u + 6 * u).sqrt() + u) / 2


def _slope(alpha: Tensor, draws: Tensor) -> Tensor:
    """Return −err′(m), ∞ for no draws, 0 where nothing is sensitive."""
    u = alpha / (3 * draws)
    slope = ((u + 3) / (u * u + 6 * u).sqrt() + 1) / 2 * u / draws
    slope = slope.masked_fill(draws.expand_as(slope) == 0, torch.inf)
    return slope.masked_fill((alpha == 0).expand_as(slope), 0.0)
