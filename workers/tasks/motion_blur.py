"""Motion blur, as of a moving camera.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    ImageMagick's motion blur at an angle U(−45°, 45°), one for each image

    severity                      1    2    3    4    5
    radius, pixels, cifar         6    6    6    8    9
    standard deviation, cifar     1.0  1.5  2.0  2.0  2.5
    radius, pixels, imagenet      10   15   15   15   20
    standard deviation, imagenet  3    5    8    12   15
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption
from workers.corruptions.levels import LIFT

if TYPE_CHECKING:
    import torch

RADIUS_AND_DEVIATION = {
    "cifar": ((6, 1.0), (6, 1.5), (6, 2.0), (8, 2.0), (9, 2.5)),
    "imagenet": ((10, 3.0), (15, 5.0), (15, 8.0), (15, 12.0), (20, 15.0)),
}
DEGREES = 45


@dataclass(frozen=True, kw_only=True)
class MotionBlur(Corruption):
    """Smear every image along a line of its own."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw the angles and blur."""
        from workers.corruptions.motion import motion_blur

        radius, deviation = self.at_severity(RADIUS_AND_DEVIATION)
        angles = pixels.new_empty(len(pixels)).uniform_(-DEGREES, DEGREES, generator=generator)
        return motion_blur(pixels, radius, deviation, angles).add_(LIFT)
