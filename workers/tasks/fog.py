"""Fog, as a cloud map laid over the image.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    x' = (x + c · map) · m / (m + c), with m the largest value of each image and
    map a plasma fractal in [0, 1] that decays by d from scale to scale

    severity         1       2       3         4         5
    c, d  cifar      0.2, 3  0.5, 3  0.75, 2.5 1, 2      1.5, 1.75
          imagenet   1.5, 2  2, 2    2.5, 1.7  2.5, 1.5  3, 1.4

The map's side is the image's larger one, rounded up to a power of two: 32 for 32, 256 for 224.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

STRENGTH_AND_DECAY = {
    "cifar": ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75)),
    "imagenet": ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)),
}


@dataclass(frozen=True, kw_only=True)
class Fog(Corruption):
    """Lay a cloud map over every image."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw one map per image; all its channels share it."""
        from workers.corruptions.chunks import in_chunks
        from workers.corruptions.plasma import plasma

        _, decay = self.at_severity(STRENGTH_AND_DECAY)
        height, width = pixels.shape[2:]
        side = 1 << (max(height, width) - 1).bit_length()
        maps = plasma(len(pixels), side, decay, generator)[:, None, :height, :width]
        return in_chunks(self._mixed, pixels, maps)

    def _mixed(self, pixels: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        strength, _ = self.at_severity(STRENGTH_AND_DECAY)
        largest = pixels.amax(dim=(1, 2, 3), keepdim=True)
        return (strength * maps + pixels).mul_(largest / (largest + strength))
