"""The Gaussian filter of SciPy on a whole batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workers.corruptions.separable import Edge, filter_lines, filter_matrix


def gaussian_filter(
    images: Tensor,
    deviations: tuple[float, float],
    edge: Edge = "nearest",
    truncate: float = 4.0,
) -> Tensor:
    """Blur every channel on its own.

    Args:
        images: (…, height, width), floating.
        deviations: positive standard deviations along height and width, in pixels.
        edge: what is outside, as ``filter_matrix`` has it.
        truncate: the filter reaches this many standard deviations, rounded to whole pixels.

    Returns:
        The shape, type and device of ``images``.

    """
    rows, columns = (
        filter_matrix(size, _taps(deviation, truncate), edge)
        for size, deviation in zip(images.shape[-2:], deviations, strict=True)
    )
    return filter_lines(images, rows, columns)


def _taps(deviation: float, truncate: float) -> NDArray[np.float64]:
    radius = int(truncate * deviation + 0.5)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    weights: NDArray[np.float64] = taps / taps.sum()
    return weights
