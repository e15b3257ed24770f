"""Gaussian blur.

Severities and formula: CIFAR-10-C, Hendrycks & Dietterich (2019), "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations".

    separable Gaussian filter, cut off at 4 standard deviations, edge values repeated outside

    severity                      1    2    3    4    5
    standard deviation, pixels    0.4  0.6  0.7  0.8  1.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from workers.contracts import Task

if TYPE_CHECKING:
    import torch

DEVIATION = (0.4, 0.6, 0.7, 0.8, 1.0)
TRUNCATE = 4.0


@dataclass(frozen=True, kw_only=True)
class GaussianBlur(Task):
    """Blur every channel on its own."""

    corrupts: ClassVar[bool] = True

    severity: Literal[1, 2, 3, 4, 5] = 3

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Filter along the rows, transpose, and do so once more."""
        for size in reversed(pixels.shape[2:]):
            pixels = (pixels @ pixels.new_tensor(_filter(size, DEVIATION[self.severity - 1])).T).mT
        return pixels


def _filter(size: int, deviation: float) -> NDArray[np.float64]:
    """Make the (size, size) matrix that filters a line of ``size`` pixels.

    A tap that falls outside the line is added to the edge pixel, which is what repeating it means.
    """
    radius = int(TRUNCATE * deviation + 0.5)
    offsets = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (offsets / deviation) ** 2)
    matrix = np.zeros((size, size))
    targets = np.arange(size)[:, None]
    np.add.at(matrix, (targets, (targets + offsets).clip(0, size - 1)), taps / taps.sum())
    return matrix
