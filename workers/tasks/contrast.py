"""Lower contrast.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    x' = (x − m) · c + m, with m the mean of each image and channel

    severity             1     2    3    4    5
    factor c, cifar      0.75  0.5  0.4  0.3  0.15
    factor c, imagenet   0.4   0.3  0.2  0.1  0.05
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

FACTOR = {
    "cifar": (0.75, 0.5, 0.4, 0.3, 0.15),
    "imagenet": (0.4, 0.3, 0.2, 0.1, 0.05),
}


@dataclass(frozen=True, kw_only=True)
class Contrast(Corruption):
    """Pull every value towards the mean of its image and channel."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Shrink the distance from the mean."""
        from workers.corruptions.chunks import in_chunks

        return in_chunks(self._pulled, pixels)

    def _pulled(self, pixels: torch.Tensor) -> torch.Tensor:
        mean = pixels.mean(dim=(2, 3), keepdim=True)
        return (pixels - mean).mul_(self.at_severity(FACTOR)).add_(mean)
