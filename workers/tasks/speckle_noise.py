"""Speckle noise: the brighter, the noisier.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    x' = x + x · N(0, c²), independently per value

    severity                       1     2     3     4     5
    standard deviation, cifar      0.06  0.10  0.12  0.16  0.20
    standard deviation, imagenet   0.15  0.20  0.35  0.45  0.60
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

DEVIATION = {
    "cifar": (0.06, 0.10, 0.12, 0.16, 0.20),
    "imagenet": (0.15, 0.20, 0.35, 0.45, 0.60),
}


@dataclass(frozen=True, kw_only=True)
class SpeckleNoise(Corruption):
    """Multiply every value by a random factor around 1."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Add noise in proportion to the value."""
        from workers.corruptions.chunks import in_chunks

        noise = pixels.new_empty(pixels.shape).normal_(generator=generator)
        return in_chunks(self._added, noise, pixels)

    def _added(self, noise: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        return (self.at_severity(DEVIATION) * pixels).mul_(noise).add_(pixels)
