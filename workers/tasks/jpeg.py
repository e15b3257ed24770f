"""JPEG compression.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    encoded by Pillow (4:2:0 for colour) and decoded again

    severity            1   2   3   4   5
    quality, cifar      80  65  58  50  40
    quality, imagenet   25  18  15  10  7
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

QUALITY = {
    "cifar": (80, 65, 58, 50, 40),
    "imagenet": (25, 18, 15, 10, 7),
}
SMALL = 80 * 80


@dataclass(frozen=True, kw_only=True)
class Jpeg(Corruption):
    """Compress every image; it has 1 or 3 channels."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Encode and decode: small images all at once, large ones each by Pillow, to the same bits.

        A codec's fixed cost for an image outweighs its speed up to about 80 × 80 pixels.
        """
        from workers.corruptions.chunks import in_chunks

        return in_chunks(self._recoded, pixels)

    def _recoded(self, pixels: torch.Tensor) -> torch.Tensor:
        from workers.corruptions.jpeg import recode, recode_by_pillow

        levels = (pixels * 255).round_().byte()
        is_small = pixels.shape[2] * pixels.shape[3] <= SMALL
        code = recode if is_small or pixels.is_cuda else recode_by_pillow
        return code(levels, self.at_severity(QUALITY)).to(pixels).div_(255)
