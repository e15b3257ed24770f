"""Defocus blur, as of a lens out of focus.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    convolved with a disk whose edge a small Gaussian filter has softened; the image is mirrored
    about the middle of its edge pixels

    severity                      1    2    3    4    5
    radius, pixels, cifar         0.3  0.4  0.5  1    1.5
    standard deviation, cifar     0.4  0.5  0.6  0.2  0.1
    radius, pixels, imagenet      3    4    6    8    10
    standard deviation, imagenet  0.1  0.5  0.5  0.5  0.5
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from workers.contracts import Corruption
from workers.corruptions.levels import LIFT

if TYPE_CHECKING:
    import torch

RADIUS_AND_DEVIATION = {
    "cifar": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1)),
    "imagenet": ((3.0, 0.1), (4.0, 0.5), (6.0, 0.5), (8.0, 0.5), (10.0, 0.5)),
}


@dataclass(frozen=True, kw_only=True)
class DefocusBlur(Corruption):
    """Spread every pixel over a disk."""

    version: ClassVar[int] = 2

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Convolve with the severity's disk."""
        from workers.corruptions.convolution import convolve

        radius, deviation = self.at_severity(RADIUS_AND_DEVIATION)
        return convolve(pixels, disk(radius, deviation)).add_(LIFT)


def disk(radius: float, deviation: float) -> NDArray[np.float64]:
    """Make the kernel: the whole pixels within ``radius``, then a Gaussian filter of 3 or 5 taps.

    As published, the disk lies in a square that reaches at least 8 pixels from its centre, at whose
    border the filter mirrors; of it remains what is not zero.
    """
    reach, taps = (8, 1) if radius <= 8 else (int(radius), 2)
    squares = np.arange(-reach, reach + 1) ** 2
    sharp = (squares[:, None] + squares <= radius**2).astype(float)
    weights = np.exp(-0.5 * (np.arange(-taps, taps + 1) / deviation) ** 2)
    weights /= weights.sum()
    windows = sliding_window_view(np.pad(sharp / sharp.sum(), taps, "reflect"), weights.shape * 2)
    soft: NDArray[np.float64] = np.einsum("ijkl,k,l->ij", windows, weights, weights)
    empty = int(soft.any(axis=0).argmax())
    return soft[empty : len(soft) - empty, empty : len(soft) - empty]
