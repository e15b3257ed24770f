"""Pixelation, as of an enlarged small image.

Severities and formula: CIFAR-10-C, Hendrycks & Dietterich (2019), "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations".

    Pillow's box filter down to int(size · c), then box filter back up

    severity   1     2    3     4     5
    scale c    0.95  0.9  0.85  0.75  0.65
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from PIL import Image

from workers.contracts import Task
from workers.evaluation.per_image import per_image

if TYPE_CHECKING:
    import torch

SCALE = (0.95, 0.9, 0.85, 0.75, 0.65)


@dataclass(frozen=True, kw_only=True)
class Pixelate(Task):
    """Shrink and enlarge again."""

    corrupts: ClassVar[bool] = True

    severity: Literal[1, 2, 3, 4, 5] = 3

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Resize every image to the small size and back."""
        scale = SCALE[self.severity - 1]

        def resize(image: Image.Image) -> Image.Image:
            small = max(1, int(image.width * scale)), max(1, int(image.height * scale))
            return image.resize(small, Image.Resampling.BOX).resize(
                image.size, Image.Resampling.BOX
            )

        return per_image(pixels, resize)
