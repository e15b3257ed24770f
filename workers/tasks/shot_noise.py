"""Shot noise, from the discreteness of light.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    x' = Poisson(x · c) / c, independently per value

    severity                   1    2    3    4   5
    photons at 1.0, cifar      500  250  100  75  50
    photons at 1.0, imagenet   60   25   12   5   3
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

PHOTONS = {
    "cifar": (500, 250, 100, 75, 50),
    "imagenet": (60, 25, 12, 5, 3),
}


@dataclass(frozen=True, kw_only=True)
class ShotNoise(Corruption):
    """Replace every value, one of 256 levels, by a scaled photon count."""

    version: ClassVar[int] = 2

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw photon counts of mean x · c."""
        from workers.corruptions.poisson import poisson

        photons = self.at_severity(PHOTONS)
        levels = (pixels * 255).round_().int().contiguous()
        return poisson(levels, photons, generator).div_(photons)
