"""Mean and standard deviation of pixels, and their removal."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def statistics(pixels: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Return mean and population standard deviation of each channel, of pixels scaled to [0, 1].

    The sums are integers and therefore exact. A constant channel gets a deviation of 1.

    Args:
        pixels: (examples, height, width, channels).

    """
    count = pixels[..., 0].size
    means, deviations = [], []
    for channel in range(pixels.shape[-1]):
        total, squares = _sums(pixels[..., channel])
        variance = count * squares - total * total
        means.append(total / (255 * count))
        deviations.append(math.sqrt(variance) / (255 * count) if variance else 1.0)
    return means, deviations


def normalise(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Subtract ``mean`` and divide by ``std``, both of shape (channels,) for pixels in [0, 1].

    Args:
        pixels: ``uint8`` of shape (n, height, width, channels).

    Returns:
        float32 of shape (n, channels, height, width) in channels_last, as the pixels lie already.

    """
    count, height, width, channels = pixels.shape
    # By lines: over an innermost axis of three channels it would be several times slower.
    rows = pixels.reshape(count * height, width * channels).float()
    rows.sub_((255 * mean).repeat(width)).div_((255 * std).repeat(width))
    return rows.view(count, height, width, channels).permute(0, 3, 1, 2)


def _sums(values: NDArray[np.uint8]) -> tuple[int, int]:
    """Sum values and squares without overflow, as a histogram of 256 bins."""
    # Unlike NumPy's, torch's counts bytes as they are, without a copy of eight times the size.
    levels = torch.from_numpy(np.array(values).ravel())
    histogram = torch.bincount(levels, minlength=256).numpy()
    grey = np.arange(256, dtype=np.int64)
    return int(histogram @ grey), int(histogram @ grey**2)
