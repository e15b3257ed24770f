"""PFP: the channels that no output of the next layer depends on go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.contracts import Allocation, Method, Samples

if TYPE_CHECKING:
    import torch

    from workers.pruning.allocation.layer import ScoredLayer


@dataclass(frozen=True, kw_only=True)
class PFP(Method):
    """Sensitivity of each input channel: its largest share in any output, over all samples.

    Liebenwein et al., "Provable filter pruning for efficient neural networks" (2020); Lost in
    Pruning (2021). One error level for all layers says how many channels each keeps, of every
    consumer on its own; a filter goes when all of its consumers dropped it. ``deterministic`` keeps
    the most sensitive, ``random`` draws channels with probability proportional to sensitivity and
    divides them by it, ``top`` does so with those that are not sure to be drawn.
    """

    version = 2
    unit = "channel"
    needs_samples = True

    variant: Literal["deterministic", "top", "random"] = "deterministic"

    @property
    def allocation(self) -> Allocation:
        """One error level for all layers."""
        return "error_level"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every input channel by its sensitivity, in [0, 1], shape (channels,)."""
        from workers.pruning.sensitivity import channel_sensitivity

        return channel_sensitivity(network, (images for images, _ in samples))

    def multiplier(
        self, layer: ScoredLayer, kept: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Keep as they are, or draw and reweigh as many as the allocation keeps."""
        from workers.pruning.allocation.sampling import sampled_channels

        if self.variant == "deterministic":
            return kept
        return sampled_channels(layer, kept, generator, top=self.variant == "top")
