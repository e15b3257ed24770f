"""ThiNet: the channels whose joint contribution to the next layer is least go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Allocation, Method, Samples

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class ThiNet(Method):
    """Rank of each input channel in a greedy selection, the same fraction of all layers but one.

    Luo et al., "ThiNet: A filter level pruning method" (2017), as in the code of Lost in Pruning
    (2021): on up to ``features`` random outputs (image, filter, position) of a layer, channels are
    removed, √channels at a time, that keep ‖Σ of what the removed ones contributed‖² least. The
    inputs of the first layer stay.
    """

    unit = "channel"
    spares = "first"
    needs_samples = True

    features: int = 100

    @property
    def allocation(self) -> Allocation:
        """The same fraction of every layer."""
        return "uniform"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every input channel by when it is removed, from 1; 0 if it contributes nothing."""
        from workers.pruning.contributions import contributions, greedy_order
        from workers.pruning.prunable import prunable_weights

        found = contributions(network, samples, self.features, generator)
        return {
            name: greedy_order(found[name]) if name in found else w.new_zeros(w.shape[1])
            for name, w in prunable_weights(network).items()
        }
