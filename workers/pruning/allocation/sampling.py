"""Draws units at random instead of keeping the best, and reweighs them to be right on average."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.pruning.allocation.draws import draw, draws_for
from workers.pruning.allocation.error_level import coefficient
from workers.pruning.allocation.filter_error import bound
from workers.pruning.allocation.layer import ScoredLayer, ranks
from workers.pruning.bounds import C


def sampled_channels(
    layer: ScoredLayer, kept: Tensor, generator: torch.Generator, *, top: bool
) -> Tensor:
    """Draw channels with probability q ∝ score, as many times as find ``kept`` on average.

    Args:
        layer: of input channels.
        kept: (channels,) booleans; their number is what counts.
        generator: of the draws.
        top: of those kept, channels with q ≥ 1 / draws stay as they are, and only the others are
            drawn (PFP).

    Returns:
        (channels,): 1 where kept as it is, found / (draws · q) where drawn.

    """
    score = layer.score.double()
    sure = torch.zeros_like(kept)
    if top:
        draws = draws_for(kept.sum().double()[None], score[None])
        sure = (score / score.sum() >= 1 / draws) & kept
    rest = score.masked_fill(sure, 0)[None]
    return sure + _found(rest, (kept.sum() - sure.sum()).clamp(min=0)[None], generator)[0]


def sampled_weights(
    layer: ScoredLayer, kept: Tensor, generator: torch.Generator, *, hybrid: bool
) -> Tensor:
    """Draw weights, filter by filter and sign by sign, as often as finds ``kept`` on average.

    A filter stays as it is where drawing prunes nothing of it.

    Args:
        layer: of single weights.
        kept: booleans of the weight's shape; their number in a filter and sign is what counts, and
            they themselves where the ``hybrid`` does not draw.
        generator: of the draws.
        hybrid: draw only where the bound on the error is below that of keeping the most sensitive,
            C · Σ of the others (SiPP).

    Returns:
        Of the weight's shape: 1 where kept as it is, found / (draws · q) where drawn.

    """
    factor = torch.zeros_like(layer.score, dtype=torch.float64).flatten(1)
    rows = kept.flatten(1)
    for sign in (1, -1):
        members = (layer.weight.sign() == sign).flatten(1)
        score = layer.score.flatten(1).double() * members
        chosen = ranks(score, members) < (rows & members).sum(1, keepdim=True)
        drawn = _found(score, chosen.sum(1), generator)
        if hybrid:
            alpha = coefficient(layer) * score.sum(1)
            random, best = bound(alpha, chosen.sum(1)), C * (score * ~chosen).sum(1)
            drawn = torch.where((best <= random)[:, None], chosen.double(), drawn)
        factor += drawn * members
    prunes = (factor > 0).sum(1) < (layer.weight != 0).flatten(1).sum(1)
    return torch.where(prunes[:, None], factor, 1.0).view_as(layer.score)


def _found(score: Tensor, distinct: Tensor, generator: torch.Generator) -> Tensor:
    """Draw every row until ``distinct`` units are found on average; all stay where that is all."""
    draws = draws_for(distinct.double(), score)
    all_found = draws.isinf()
    found = draw(draws.masked_fill(all_found, 0).ceil(), score, generator)
    return torch.where(all_found[:, None], (score > 0).double(), found) * (distinct > 0)[:, None]
