"""Zoom blur, as of a camera that moves towards the scene.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    mean of the image and of its enlargements by 1, 1 + step, 1 + 2·step … (below end)

    severity        1     2     3     4     5
    step, cifar     0.01  0.01  0.01  0.01  0.01
    end, cifar      1.06  1.11  1.16  1.21  1.26
    step, imagenet  0.01  0.01  0.02  0.02  0.03
    end, imagenet   1.11  1.16  1.21  1.26  1.31

The end itself is one of the factors where floating-point numbers make it so: cifar 1 and 2,
imagenet 1. The published data are made that way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from workers.contracts import Corruption
from workers.corruptions.levels import LIFT

if TYPE_CHECKING:
    import torch

END_AND_STEP = {
    "cifar": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
    "imagenet": ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
}


@dataclass(frozen=True, kw_only=True)
class ZoomBlur(Corruption):
    """Average every image with enlargements of its middle."""

    version: ClassVar[int] = 2

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Average the image and all enlargements of it."""
        from workers.corruptions.zoom import mean_zoom

        factors = np.arange(1, *self.at_severity(END_AND_STEP))
        return mean_zoom(pixels, (1.0, *factors.tolist())).add_(LIFT)
