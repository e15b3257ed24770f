"""The Gaussian filter of SciPy on a whole batch, as one small matrix for each axis."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Edge = Literal["nearest", "reflect"]


def gaussian_filter(
    images: Tensor,
    deviations: tuple[float, float],
    edge: Edge = "nearest",
    truncate: float = 4.0,
) -> Tensor:
    """Blur every channel on its own: filter along the rows, transpose, and do so once more.

    Args:
        images: (…, height, width), floating.
        deviations: positive standard deviations along height and width, in pixels.
        edge: what is outside: ``nearest`` repeats the edge pixel, ``reflect`` mirrors the image
            about the outer side of its edge pixels (b a | a b).
        truncate: the filter reaches this many standard deviations, rounded to whole pixels.

    Returns:
        The shape, type and device of ``images``.

    """
    for size, deviation in zip(reversed(images.shape[-2:]), reversed(deviations), strict=True):
        matrix = images.new_tensor(_filter(size, deviation, edge, truncate))
        images = (images @ matrix.T).mT
    return images


def _filter(size: int, deviation: float, edge: Edge, truncate: float) -> NDArray[np.float64]:
    """Make the (size, size) matrix that filters a line of ``size`` pixels.

    A tap that falls outside the line is added to the pixel that stands for what is there.
    """
    radius = int(truncate * deviation + 0.5)
    offsets = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (offsets / deviation) ** 2)
    sources = np.arange(size)[:, None] + offsets
    if edge == "reflect":
        sources %= 2 * size
        sources = np.minimum(sources, 2 * size - 1 - sources)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], sources.clip(0, size - 1)), taps / taps.sum())
    return matrix
