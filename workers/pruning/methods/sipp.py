"""SiPP: the weights that no neuron's output depends on go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.contracts import Allocation, Method, Samples

if TYPE_CHECKING:
    import torch

    from workers.pruning.allocation.layer import ScoredLayer


@dataclass(frozen=True, kw_only=True)
class SiPP(Method):
    """Sensitivity of each weight: its largest share in an output of its filter, over all samples.

    Baykal et al., "SiPPing neural networks" (2022); Lost in Pruning (2021). With the weights of one
    sign, a weight's share is W·a / ΣW·a; positions of a convolution count by their mean if
    ``deterministic``, and one ranking over all layers prunes the least sensitive. ``random`` shares
    the budget among filters by the least sum of error bounds, draws weights with probability
    proportional to their sensitivity (largest over positions) and divides them by it, so that
    outputs are right on average. ``hybrid`` does so only in filters where the bound says it is
    better than keeping the most sensitive weights.
    """

    needs_samples = True

    variant: Literal["deterministic", "random", "hybrid"] = "deterministic"

    @property
    def allocation(self) -> Allocation:
        """One ranking of all weights, or the least sum of the filters' error bounds."""
        return "global" if self.variant == "deterministic" else "filter_error"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every weight by its sensitivity, in [0, 1]."""
        from workers.pruning.sensitivity import weight_sensitivity

        return weight_sensitivity(
            network,
            (images for images, _ in samples),
            over_positions="mean" if self.variant == "deterministic" else "max",
        )

    def multiplier(
        self, layer: ScoredLayer, kept: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Keep as they are, or draw and reweigh as many as the allocation keeps."""
        from workers.pruning.allocation.sampling import sampled_weights

        if self.variant == "deterministic":
            return kept
        return sampled_weights(layer, kept, generator, hybrid=self.variant == "hybrid")
