"""Filters that work along the rows and along the columns, as one small matrix for each axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Edge = Literal["nearest", "reflect", "mirror"]
Matrix = NDArray[np.float64]
SMALL = 64 * 64
"""Pixels of an image up to which one large product is faster than one for each image."""
BAND = 32
"""Rows of a matrix that are multiplied at once: of a narrow filter they have few columns."""


def filter_lines(images: Tensor, rows: Matrix, columns: Matrix) -> Tensor:
    """Multiply every channel X to ``rows`` · X · ``columns``ᵀ.

    For small images both steps multiply from the right, as one product.

    Args:
        images: (…, height, width), floating.
        rows: (height, height).
        columns: (width, width).

    Returns:
        The shape, type and device of ``images``.

    """
    if images.shape[-2] * images.shape[-1] <= SMALL:
        for matrix in (columns, rows):
            images = (images @ images.new_tensor(matrix).T).mT
        return images
    lines = images.reshape(-1, images.shape[-1])
    across = torch.empty_like(lines)
    for new, old in _bands(columns):
        torch.mm(lines[:, old], images.new_tensor(columns[new, old]).T, out=across[:, new])
    planes = across.view(-1, *images.shape[-2:])
    down = torch.empty_like(planes)
    for new, old in _bands(rows):
        band = images.new_tensor(rows[new, old]).expand(len(planes), -1, -1)
        torch.bmm(band, planes[:, old], out=down[:, new])
    return down.view(images.shape)


def _bands(matrix: Matrix) -> Iterator[tuple[slice, slice]]:
    """Cut a square matrix into bands of rows, each with the stretch of columns that is not zero."""
    for start in range(0, len(matrix), BAND):
        new = slice(start, start + BAND)
        used = np.nonzero(matrix[new])[1]
        yield new, slice(int(used.min()), int(used.max()) + 1)


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
