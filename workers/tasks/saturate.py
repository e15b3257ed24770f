"""Lower or higher saturation, greyish or gaudy colours.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    HSV: S' = clip(a · S + b, 0, 1), hue and value stay

    severity         1       2       3       4         5
    a, b  cifar      0.3, 0  0.1, 0  1.5, 0  2, 0.1    2.5, 0.2
          imagenet   0.3, 0  0.1, 0  2, 0    5, 0.1    20, 0.2

At fixed hue and value every channel's distance from V = max(r, g, b) is proportional to S. Grey has
no hue and counts as red, so b > 0 tints it. One channel has no saturation and stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

FACTOR_AND_ADDEND = {
    "cifar": ((0.3, 0.0), (0.1, 0.0), (1.5, 0.0), (2.0, 0.1), (2.5, 0.2)),
    "imagenet": ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2)),
}
RED = (0.0, 1e-30, 1e-30)


@dataclass(frozen=True, kw_only=True)
class Saturate(Corruption):
    """Scale and shift S of HSV."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Move the channels of every pixel towards V or away from it."""
        if pixels.shape[1] == 1:
            return pixels.clone()
        from workers.corruptions.chunks import in_chunks

        return in_chunks(self._saturated, pixels)

    def _saturated(self, pixels: torch.Tensor) -> torch.Tensor:
        factor, addend = self.at_severity(FACTOR_AND_ADDEND)
        value = pixels.amax(dim=1, keepdim=True)
        # Next to nothing, so that grey is a shade of red.
        distance = (value - pixels).add_(pixels.new_tensor(RED).view(3, 1, 1))
        chroma = distance.amax(dim=1, keepdim=True)
        saturated = (factor * chroma).add_(addend * value).minimum(value)
        return value - distance.div_(chroma).mul_(saturated)
