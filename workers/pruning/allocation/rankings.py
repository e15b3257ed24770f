"""In which order units go: one priority for every unit of the network, the lowest first.

Every allocation is such a ranking, so that one exact search along it hits any budget: what a layer
loses at a threshold on its fraction, or on its error bound, is what stands below that threshold.
Units that are gone already, and those that must stay, have the priority ∞.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from workers.contracts import Allocation
from workers.pruning.allocation.error_level import error_level
from workers.pruning.allocation.filter_error import filter_error
from workers.pruning.allocation.layer import ScoredLayer

Ranking = Callable[[ScoredLayer], Tensor]


def priorities(layers: Sequence[ScoredLayer], allocation: Allocation) -> list[Tensor]:
    """Rank the units of all layers.

    Returns:
        For each layer a tensor of the shape of its scores; ∞ where a unit does not go.

    """
    ranking = RANKINGS[allocation]
    return [
        torch.full_like(layer.score, torch.inf)
        if layer.spared
        else ranking(layer).masked_fill(layer.cost == 0, torch.inf)
        for layer in layers
    ]


def by_score(layer: ScoredLayer) -> Tensor:
    """The lowest scores of all layers go; of a layer's filters or channels one stays."""
    if layer.unit == "weight":
        return layer.score
    return layer.score.masked_fill(_from_top(layer.score, layer.cost > 0) == 0, torch.inf)


def uniform(layer: ScoredLayer) -> Tensor:
    """The same fraction of every layer goes, rounded, and one unit stays.

    (rank + ½) / units left is the fraction at which rounding removes the unit of that rank.
    """
    left = layer.cost.flatten() > 0
    count = left.sum()
    rank = count - 1 - _from_top(layer.score.flatten(), left)
    fraction = (rank.double() + 0.5) / count.clamp(min=1)
    return fraction.masked_fill(rank == count - 1, torch.inf).view_as(layer.score)


def per_filter(layer: ScoredLayer) -> Tensor:
    """The same number of weights stays in every filter of every layer, where it has as many."""
    rows, left = layer.score.flatten(1), layer.cost.flatten(1) > 0
    return -_from_top(rows, left).double().view_as(layer.score)


def _from_top(score: Tensor, left: Tensor) -> Tensor:
    """Place of every unit in descending score along the last axis; those gone come after."""
    # The later of equals counts as the higher, as in an ascending stable sort read from its end.
    order = score.masked_fill(~left, -torch.inf).argsort(dim=-1, stable=True).flip(-1)
    places = torch.arange(order.shape[-1], device=order.device).expand_as(order)
    return torch.empty_like(order).scatter_(-1, order, places)


RANKINGS: dict[Allocation, Ranking] = {
    "global": by_score,
    "uniform": uniform,
    "per_filter": per_filter,
    "error_level": error_level,
    "filter_error": filter_error,
}
