"""Weight thresholding: the smallest weights of the whole network go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Method, Samples

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class WeightThresholding(Method):
    """Magnitude |W|, one ranking over all layers.

    Han et al., "Learning both weights and connections for efficient neural networks" (2015), in the
    global form of Renda et al. (2020) and of Lost in Pruning (2021).
    """

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every weight by its magnitude."""
        from workers.pruning.prunable import prunable_weights

        return {name: w.detach().abs() for name, w in prunable_weights(network).items()}
