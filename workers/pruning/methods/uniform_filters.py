"""Random channels, the same fraction of every layer: what a method must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Allocation, Method, Samples

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class UniformFilters(Method):
    """Input channels uniformly at random, the same fraction of every layer but the first.

    What ``FilterUniNet`` in the code of Lost in Pruning (2021) means to do. A filter goes when all
    of its consumers dropped its channel.
    """

    unit = "channel"
    spares = "first"

    @property
    def allocation(self) -> Allocation:
        """The same fraction of every layer."""
        return "uniform"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every input channel by a uniform random number, shape (channels,)."""
        import torch

        from workers.pruning.prunable import prunable_weights

        return {
            name: torch.rand(w.shape[1], generator=generator).to(w.device)
            for name, w in prunable_weights(network).items()
        }
