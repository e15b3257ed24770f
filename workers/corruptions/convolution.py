"""Convolution of a whole batch with one kernel, by the Fourier transform."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad


def convolve(images: Tensor, kernel: NDArray[np.float64]) -> Tensor:
    """Convolve every channel; the image is mirrored about the middle of its edge pixels (c b | a).

    The Fourier transform costs the same for any kernel, and no convolution setting of the device
    lowers its precision.

    Args:
        images: (n, channels, height, width), floating; height and width at least 2.
        kernel: square, of odd size, which may exceed that of the images.

    Returns:
        The shape, type and device of ``images``.

    """
    margin = len(kernel) // 2
    padded = _mirror(_mirror(images, margin).mT, margin).mT
    size = padded.shape[2:]
    spectrum = torch.fft.rfft2(padded) * torch.fft.rfft2(images.new_tensor(kernel), s=size)
    # The transform's product wraps around, into the first rows and columns and no others.
    convolved: Tensor = torch.fft.irfft2(spectrum, s=size)
    return convolved[..., 2 * margin :, 2 * margin :]


def _mirror(images: Tensor, margin: int) -> Tensor:
    """Pad the last axis, in steps no longer than the image, which is all that ``pad`` can do."""
    while margin > 0:
        step = min(margin, images.shape[-1] - 1)
        images = pad(images, (step, step, 0, 0), mode="reflect")
        margin -= step
    return images
