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
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

QUALITY = {
    "cifar": (80, 65, 58, 50, 40),
    "imagenet": (25, 18, 15, 10, 7),
}


@dataclass(frozen=True, kw_only=True)
class Jpeg(Corruption):
    """Compress every image; it has 1 or 3 channels."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Encode and decode every image, one by one: a codec knows no batches."""
        levels = (pixels * 255).round_().byte().permute(0, 2, 3, 1).cpu().numpy()
        images = levels[..., 0] if levels.shape[3] == 1 else levels
        quality = self.at_severity(QUALITY)
        recoded = np.stack([_recode(image, quality) for image in images]).reshape(levels.shape)
        return pixels.new_tensor(recoded).permute(0, 3, 1, 2) / 255


def _recode(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer, formats=["JPEG"]))
