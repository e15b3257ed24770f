"""Higher brightness, as of more daylight.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    HSV: V' = min(V + c, 1), hue and saturation stay; x' = x + c for one channel

    severity             1     2    3     4    5
    addend c, cifar      0.05  0.1  0.15  0.2  0.3
    addend c, imagenet   0.1   0.2  0.3   0.4  0.5

At fixed hue and saturation every channel is proportional to V = max(r, g, b), and black turns grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

ADDEND = {
    "cifar": (0.05, 0.1, 0.15, 0.2, 0.3),
    "imagenet": (0.1, 0.2, 0.3, 0.4, 0.5),
}


@dataclass(frozen=True, kw_only=True)
class Brightness(Corruption):
    """Raise V of HSV."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Scale the channels of every pixel from V to V'."""
        from workers.corruptions.chunks import in_chunks

        return in_chunks(self._raised, pixels)

    def _raised(self, pixels: torch.Tensor) -> torch.Tensor:
        # Next to nothing, so that black is grey like any other.
        lit = pixels.clamp(min=1e-30)
        value = lit.amax(dim=1, keepdim=True)
        return lit.div_(value).mul_((value + self.at_severity(ADDEND)).clamp_(max=1))
