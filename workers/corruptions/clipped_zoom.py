"""Enlarging the middle of images, as one small matrix for each axis."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def clipped_zoom(images: Tensor, factor: float) -> Tensor:
    """Enlarge the middle of every image to the size of the image.

    Along each axis the middle ⌈size / factor⌉ pixels are interpolated linearly, first and last
    pixel on first and last, to ``factor`` times their number, of which the middle is taken.

    Args:
        images: (…, height, width), floating.
        factor: at least 1.

    Returns:
        The shape, type and device of ``images``.

    """
    rows, columns = (images.new_tensor(_zoom(size, factor)) for size in images.shape[-2:])
    return rows @ images @ columns.T


def _zoom(size: int, factor: float) -> NDArray[np.float64]:
    """Make the (size, size) matrix that enlarges the middle of a line."""
    cut = ceil(size / factor)
    enlarged = round(cut * factor)
    targets = np.arange(size)
    places = (targets + (enlarged - size) // 2) * (cut - 1) / max(enlarged - 1, 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, cut - 1)
    start = (size - cut) // 2
    matrix = np.zeros((size, size))
    np.add.at(matrix, (targets, start + low), 1 - (places - low))
    np.add.at(matrix, (targets, start + high), places - low)
    return matrix
