"""How many linear regions a pruned perceptron can have at most.

Cai et al. (2023), "Getting Away with More Network Pruning".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.contracts import Measure, Probe, Reading, Subject

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LinearRegions(Measure):
    """Bound the number of linear regions of a ReLU perceptron by the densities of its layers.

    A reading ``log2_regions`` for every network, and ``density`` for every layer, the share of its
    weights that are not 0. The output layer counts as one of the layers. As in the paper, pruned
    weights are taken to be spread at random over their layer, unless ``ranks`` is ``mask``.

    Attributes:
        binomial: ``theorem`` is what is proven; ``rank`` puts the rank of a weight in the place of
            its layer's width, which tells densities apart as the paper's figure does.
        ranks: ``sampled`` from random masks; ``analytic``, by rows that are not empty, which is
            faster and too high for hardly any entries in a row; or ``mask``, the rank that the
            mask itself allows, which knows of pruned filters.
        dimensions: of the subspace of images whose regions are counted; all of them if None.

    """

    binomial: Literal["theorem", "rank"] = "theorem"
    ranks: Literal["sampled", "analytic", "mask"] = "sampled"
    dimensions: int | None = None

    def __post_init__(self) -> None:
        if self.dimensions is not None and self.dimensions < 1:
            raise ValueError(f"expected at least 1 dimension, found {self.dimensions}")

    def check(self, network: nn.Module) -> None:
        """Refuse what is no perceptron."""
        from workers.inspection.linear_regions import linear_layers

        linear_layers(network)

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterable[Reading]:
        """Bound the regions of every network.

        Raises:
            PermanentError: the networks are no perceptrons.

        """
        for index, subject in enumerate(subjects):
            yield from self._readings(index, probe.network(subject), probe)

    def passes(self, subjects: int) -> float:
        """No image passes."""
        return 0.0

    def _readings(self, subject: int, network: nn.Module, probe: Probe) -> Iterable[Reading]:
        from workers.inspection.linear_regions import linear_layers, log2_regions

        layers = linear_layers(network)
        widths = [layers[0][1].in_features, *(layer.out_features for _, layer in layers)]
        for name, layer in layers:
            yield Reading(subject=subject, quantity="density", value=_density(layer), part=name)
        ranks = [self._ranks(layer, probe.generator) for _, layer in layers]
        value = log2_regions(widths, ranks, self.binomial, self.dimensions)
        yield Reading(subject=subject, quantity="log2_regions", value=value)

    def _ranks(self, layer: nn.Linear, generator: torch.Generator) -> NDArray[np.float64]:
        from workers.inspection.random_rank import analytic_ranks, rank_of, sampled_ranks

        outputs, inputs = layer.weight.shape
        if self.ranks == "mask":
            return rank_of(layer.weight.detach())
        if self.ranks == "analytic":
            return analytic_ranks(outputs, inputs, _density(layer))
        return sampled_ranks(outputs, inputs, _density(layer), generator)


def _density(layer: nn.Linear) -> float:
    return int(layer.weight.count_nonzero()) / layer.weight.numel()
