"""Impulse noise (salt and pepper), as of bit errors.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    x' = 0 with probability c/2, 1 with probability c/2, else x, independently per value

    severity             1     2     3     4     5
    amount c, cifar      0.01  0.02  0.03  0.05  0.07
    amount c, imagenet   0.03  0.06  0.09  0.17  0.27
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

AMOUNT = {
    "cifar": (0.01, 0.02, 0.03, 0.05, 0.07),
    "imagenet": (0.03, 0.06, 0.09, 0.17, 0.27),
}


@dataclass(frozen=True, kw_only=True)
class ImpulseNoise(Corruption):
    """Set a fraction of the values, per channel, to 0 or 1."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Decide every value by one uniform draw: its low end is pepper, its high end salt."""
        from workers.corruptions.chunks import in_chunks

        draws = pixels.new_empty(pixels.shape).uniform_(generator=generator)
        return in_chunks(self._sprinkled, draws, pixels)

    def _sprinkled(self, draws: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        half = self.at_severity(AMOUNT) / 2
        # Sums of 0 and 1 in place are several times as fast as masks.
        salt, pepper = draws.clone().ge_(1 - half), draws.lt_(half)
        return salt.add_(pixels).sub_(pepper).clamp_(0, 1)
