"""Gaussian noise, as of a sensor in low light.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    x' = x + N(0, c²), independently per value

    severity                       1     2     3     4     5
    standard deviation, cifar      0.04  0.06  0.08  0.09  0.10
    standard deviation, imagenet   0.08  0.12  0.18  0.26  0.38
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

DEVIATION = {
    "cifar": (0.04, 0.06, 0.08, 0.09, 0.10),
    "imagenet": (0.08, 0.12, 0.18, 0.26, 0.38),
}


@dataclass(frozen=True, kw_only=True)
class GaussianNoise(Corruption):
    """Add Gaussian noise to every value."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Add noise of the severity's standard deviation."""
        noise = pixels.new_empty(pixels.shape).normal_(generator=generator)
        return noise.mul_(self.at_severity(DEVIATION)).add_(pixels)
