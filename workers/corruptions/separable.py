"""Filters that work along the rows and along the columns, as one small matrix for each axis."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Edge = Literal["nearest", "reflect", "mirror"]
Matrix = NDArray[np.float64]


def filter_lines(images: Tensor, rows: Matrix, columns: Matrix) -> Tensor:
    """Multiply every channel X to ``rows`` · X · ``columns``ᵀ.

    Both steps multiply from the right, since one large product is faster than many small ones.

    Args:
        images: (…, height, width), floating.
        rows: (height, height).
        columns: (width, width).

    Returns:
        The shape, type and device of ``images``.

    """
    for matrix in (columns, rows):
        images = (images @ images.new_tensor(matrix).T).mT
    return images


def filter_matrix(size: int, taps: NDArray[np.float64], edge: Edge) -> Matrix:
    """Make the (size, size) matrix that correlates a line of ``size`` pixels with ``taps``.

    A tap that falls outside the line is added to the pixel that stands for what is there.

    Args:
        size: of the line; at least 2 for ``mirror``.
        taps: an odd number of weights.
        edge: what is outside: ``nearest`` repeats the edge pixel, ``reflect`` mirrors the image
            about the outer side of its edge pixels (b a | a b), ``mirror`` about their middle
            (c b | a b c).

    """
    radius = len(taps) // 2
    sources = np.arange(size)[:, None] + np.arange(-radius, radius + 1)
    if edge != "nearest":
        shared = edge == "mirror"
        sources %= 2 * (size - shared)
        sources = np.minimum(sources, 2 * size - 1 - shared - sources)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], sources.clip(0, size - 1)), taps)
    return matrix
