"""JPEG compression.

Severities and formula: CIFAR-10-C, Hendrycks & Dietterich (2019), "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations".

    encoded by Pillow (4:2:0 for colour) and decoded again

    severity   1   2   3   4   5
    quality    80  65  58  50  40
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar, Literal

from PIL import Image

from workers.contracts import Task
from workers.evaluation.per_image import per_image

if TYPE_CHECKING:
    import torch

QUALITY = (80, 65, 58, 50, 40)


@dataclass(frozen=True, kw_only=True)
class Jpeg(Task):
    """Compress every image; it has 1 or 3 channels."""

    corrupts: ClassVar[bool] = True

    severity: Literal[1, 2, 3, 4, 5] = 3

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Encode and decode every image."""

        def recode(image: Image.Image) -> Image.Image:
            buffer = BytesIO()
            image.save(buffer, "JPEG", quality=QUALITY[self.severity - 1])
            return Image.open(buffer, formats=["JPEG"])

        return per_image(pixels, recode)
