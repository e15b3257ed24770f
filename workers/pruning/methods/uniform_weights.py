"""Random weights, the same number in every filter: what a method must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Allocation, Method, Samples

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class UniformWeights(Method):
    """Weights uniformly at random; every filter of every layer keeps as many, if it has as many.

    ``UniNet`` in the code of Lost in Pruning (2021).
    """

    @property
    def allocation(self) -> Allocation:
        """The same number of weights in every filter."""
        return "per_filter"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every weight by a uniform random number."""
        import torch

        from workers.pruning.prunable import prunable_weights

        return {
            name: torch.rand(w.shape, generator=generator).to(w.device)
            for name, w in prunable_weights(network).items()
        }
