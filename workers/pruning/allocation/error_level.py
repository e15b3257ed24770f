"""One error level for all layers (PFP: Liebenwein et al., 2020, "Provable Filter Pruning").

With sensitivities s of a layer's channels, q = s / Σs, P patches and kernel size K,

    c = 2 C ln(8 (P + 1) K / δ) Σs,    N(ε) = max(1, ⌈3 (6 + 2ε) c / ε²⌉),
    kept(ε) = ⌈Σ 1 − (1 − q)^N(ε)⌉, at least 1,

that is, as many as N(ε) draws with replacement find on average. The channel of rank r (from the
top) goes once the expected number falls to r, which gives every channel the ε it goes at.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from workers.pruning.allocation.draws import draws_for_every_count
from workers.pruning.allocation.layer import ScoredLayer
from workers.pruning.bounds import C


def coefficient(layer: ScoredLayer) -> float:
    """Return 2 C ln(8 (P + 1) K / δ), what sums of sensitivities are multiplied by."""
    return 2 * C * math.log(8 * (layer.patches + 1) * layer.kernel / layer.delta)


def error_level(layer: ScoredLayer) -> Tensor:
    """Priority of every unit of ``layer``: the error level ε at which it goes."""
    score = layer.score.double()
    order = score.argsort(descending=True, stable=True)
    draws = draws_for_every_count(score).floor()
    c = coefficient(layer) * score.sum()
    level = (6 * c + (36 * c * c + 72 * draws * c).sqrt()) / (2 * draws)
    level = level.nan_to_num(0.0)  # never found by any number of draws: first to go
    level[0] = torch.inf
    return torch.empty_like(level).scatter_(0, order, level)
