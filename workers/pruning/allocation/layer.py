"""What an allocation sees of a layer: its weight, the scores of its units, and their costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from workers.contracts import Unit
from workers.pruning.bounds import DELTA


@dataclass(frozen=True)
class ScoredLayer:
    """A prunable layer and its units.

    Attributes:
        name: of its weight.
        weight: of shape (filters, channels, …), detached.
        unit: what is pruned.
        score: of the shape of the weight, (filters,) or (channels,); 0 where a unit is gone.
        cost: of the shape of ``score``; how many nonzero weights go with a unit.
        spared: no unit of the layer may go.
        patches: output positions of the layer, 1 for a linear one.
        delta: the probability δ that error bounds fail.

    """

    name: str
    weight: Tensor
    unit: Unit
    score: Tensor
    cost: Tensor
    spared: bool = False
    patches: int = 1
    delta: float = DELTA

    @property
    def kernel(self) -> int:
        """Positions of the kernel, 1 for a linear layer."""
        return self.weight[0, 0].numel()


def costs(weight: Tensor, unit: Unit) -> Tensor:
    """Count the nonzero weights of every unit: booleans for weights, else integers."""
    nonzero = weight != 0
    if unit == "weight":
        return nonzero
    return (
        nonzero.flatten(1).sum(1) if unit == "filter" else nonzero.transpose(0, 1).flatten(1).sum(1)
    )


def expand_units(values: Tensor, weight: Tensor, unit: Unit) -> Tensor:
    """Lay one value per unit out over the weight, by broadcasting."""
    if unit == "weight":
        return values
    axis = 0 if unit == "filter" else 1
    shape = [1] * weight.dim()
    shape[axis] = len(values)
    return values.view(shape).expand_as(weight)


def ranks(score: Tensor, members: Tensor) -> Tensor:
    """Place of every unit in descending score within its row; those that are no members come last.

    Args:
        score: (rows, units), not negative.
        members: booleans of that shape.

    Returns:
        Of that shape and of the dtype of ``score``, from 0.

    """
    order = score.masked_fill(~members, -1.0).argsort(dim=1, descending=True, stable=True)
    places = torch.arange(score.shape[1], device=score.device, dtype=score.dtype)
    return torch.empty_like(score).scatter_(1, order, places.expand_as(order))
