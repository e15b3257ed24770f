"""Convolution of a whole batch with one kernel, by matrices or by the Fourier transform."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn.functional import pad

from workers.corruptions.chunks import in_chunks
from workers.corruptions.separable import Matrix, filter_lines, filter_matrix

PRODUCTS = 512
"""Multiplications for each value, up to which matrices are faster than the Fourier transform."""
NEGLIGIBLE = 1e-12


def convolve(images: Tensor, kernel: NDArray[np.float64]) -> Tensor:
    """Convolve every channel; the image is mirrored about the middle of its edge pixels (c b | a).

    A kernel is a sum of separable ones, of which small blurs need one or two. No convolution
    setting of the device lowers the precision of either way.

    Args:
        images: (n, channels, height, width), floating; height and width at least 2.
        kernel: square, of odd size, which may exceed that of the images.

    Returns:
        The shape, type and device of ``images``.

    """
    height, width = images.shape[2:]
    terms = _separable_terms(kernel, height, width)
    if len(terms) * (height + width) > PRODUCTS:
        return in_chunks(partial(_convolve_spectra, kernel=kernel), images)
    first, *others = (filter_lines(images, rows, columns) for rows, columns in terms)
    for other in others:
        first += other
    return first


def _separable_terms(
    kernel: NDArray[np.float64], height: int, width: int
) -> list[tuple[Matrix, Matrix]]:
    """Part a kernel by its singular values into pairs of filters along rows and columns."""
    left, values, right = np.linalg.svd(kernel)
    return [
        (
            filter_matrix(height, value * left[::-1, term], "mirror"),
            filter_matrix(width, right[term, ::-1], "mirror"),
        )
        for term, value in enumerate(values)
        if value > NEGLIGIBLE * values[0]
    ]


def _convolve_spectra(images: Tensor, kernel: NDArray[np.float64]) -> Tensor:
    margin, (height, width) = len(kernel) // 2, images.shape[2:]
    size = [_fast_length(length + 2 * margin) for length in (height, width)]
    padded = _mirror(images, margin, size)
    spectrum = torch.fft.rfft2(padded).mul_(torch.fft.rfft2(images.new_tensor(kernel), s=size))
    # The transform's product wraps around, into the first rows and columns and no others.
    convolved: Tensor = torch.fft.irfft2(spectrum, s=size)
    return convolved[..., 2 * margin :, 2 * margin :][..., :height, :width]


def _fast_length(length: int) -> int:
    """Round up to a multiple of 4 without large factors, as Fourier transforms are fastest."""
    return 4 * int(next_fast_len(-(-length // 4), real=True))


def _mirror(images: Tensor, margin: int, size: list[int]) -> Tensor:
    """Pad by ``margin`` above and to the left and up to ``size`` on the other sides.

    In steps no longer than the image, which is all that ``pad`` can do.
    """
    height, width = images.shape[2:]
    left = [margin, size[1] - width - margin, margin, size[0] - height - margin]
    while any(left):
        height, width = images.shape[2:]
        limits = (width - 1, width - 1, height - 1, height - 1)
        step = [min(pair) for pair in zip(left, limits, strict=True)]
        images = pad(images, step, mode="reflect")
        left = [rest - done for rest, done in zip(left, step, strict=True)]
    return images
