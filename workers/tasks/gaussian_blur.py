"""Gaussian blur.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    separable Gaussian filter, cut off at 4 standard deviations, edge values repeated outside

    severity                               1    2    3    4    5
    standard deviation, pixels, cifar      0.4  0.6  0.7  0.8  1.0
    standard deviation, pixels, imagenet   1.0  2.0  3.0  4.0  6.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

DEVIATION = {
    "cifar": (0.4, 0.6, 0.7, 0.8, 1.0),
    "imagenet": (1.0, 2.0, 3.0, 4.0, 6.0),
}


@dataclass(frozen=True, kw_only=True)
class GaussianBlur(Corruption):
    """Blur every channel on its own."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Filter with the severity's standard deviation."""
        from workers.corruptions.gaussian_filter import gaussian_filter

        deviation = self.at_severity(DEVIATION)
        return gaussian_filter(pixels, (deviation, deviation))
