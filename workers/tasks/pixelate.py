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
SMALL = 64 * 64
"""Pixels of an image up to which Pillow is slower."""


@dataclass(frozen=True, kw_only=True)
class Pixelate(Corruption):
    """Shrink and enlarge again."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Resize to the small size and back: small images all at once, large ones by Pillow."""
        from workers.corruptions.box_filter import resize, resize_by_pillow

        height, width = pixels.shape[2:]
        scale = self.at_severity(SCALE)
        small = max(1, int(height * scale)), max(1, int(width * scale))
        levels = (pixels * 255).round_().int().byte()
        if height * width <= SMALL or pixels.is_cuda:
            lines = levels.permute(2, 3, 0, 1).contiguous()
            resized = resize(resize(lines, *small), height, width).permute(2, 3, 0, 1)
        else:
            resized = resize_by_pillow(levels, small, (height, width))
        return resized.float().div_(255)
