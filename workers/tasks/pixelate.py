"""Pixelation, as of an enlarged small image.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    Pillow's box filter down to int(size · c), then box filter back up

    severity            1     2    3     4     5
    scale c, cifar      0.95  0.9  0.85  0.75  0.65
    scale c, imagenet   0.6   0.5  0.4   0.3   0.25
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

SCALE = {
    "cifar": (0.95, 0.9, 0.85, 0.75, 0.65),
    "imagenet": (0.6, 0.5, 0.4, 0.3, 0.25),
}


@dataclass(frozen=True, kw_only=True)
class Pixelate(Corruption):
    """Shrink and enlarge again."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Resize to the small size and back, all images at once."""
        from workers.corruptions.box_filter import resize

        height, width = pixels.shape[2:]
        scale = self.at_severity(SCALE)
        levels = (pixels * 255).round_().byte().permute(2, 3, 0, 1).contiguous()
        small = resize(levels, max(1, int(height * scale)), max(1, int(width * scale)))
        return resize(small, height, width).permute(2, 3, 0, 1).float() / 255
