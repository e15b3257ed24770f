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


@dataclass(frozen=True, kw_only=True)
class Saturate(Corruption):
    """Scale and shift S of HSV."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Move the channels of every pixel towards V or away from it."""
        if pixels.shape[1] == 1:
            return pixels.clone()
        factor, addend = self.at_severity(FACTOR_AND_ADDEND)
        value = pixels.amax(dim=1, keepdim=True)
        chroma = value - pixels.amin(dim=1, keepdim=True)
        saturated = (factor * chroma + addend * value).clamp(max=value)
        # Distances from V relative to the largest one: 0 for the hue's own channel, red for grey.
        distance = (value - pixels) / chroma
        red = pixels.new_tensor([0.0, 1.0, 1.0]).view(3, 1, 1)
        return value - saturated * distance.where(chroma > 0, red)
