"""Enlargements of the middle of images, one or the mean of many."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.corruptions.interpolation import interpolate
from workers.corruptions.separable import Matrix, filter_lines

SMALL = 64 * 64
"""Pixels of an image up to which one sparse matrix is faster than many interpolations."""


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
    if factor == 1:
        return images
    rows, columns = (zoom_matrix(size, factor) for size in images.shape[-2:])
    return filter_lines(images, rows, columns)


def mean_zoom(images: Tensor, factors: Sequence[float]) -> Tensor:
    """Average the enlargements of every image by all of ``factors``.

    Args:
        images: (n, channels, height, width), floating; height and width at least 2.
        factors: each at least 1.

    Returns:
        The shape, type and device of ``images``.

    """
    height, width = images.shape[2:]
    if images.device.type == "cpu" and height * width <= SMALL:
        matrix = _mean_matrix(height, width, tuple(factors)).to(images.dtype)
        lines = images.flatten(2).flatten(0, 1).T.contiguous()
        return (matrix @ lines).T.contiguous().view(images.shape)
    total = torch.zeros_like(images)
    for factor in factors:
        rows, columns = (images.new_tensor(zoom_places(size, factor)) for size in (height, width))
        total += interpolate(images, rows[:, None], columns, "mirror")
    return total / len(factors)


@lru_cache(maxsize=10)
def _mean_matrix(height: int, width: int, factors: tuple[float, ...]) -> Tensor:
    """Make the sparse matrix (pixels, pixels) that averages the enlargements of an image."""
    from scipy.sparse import coo_array, kron

    parts = [
        kron(coo_array(zoom_matrix(height, factor)), coo_array(zoom_matrix(width, factor)))
        for factor in factors
    ]
    mean = coo_array(sum(part.tocsr() for part in parts) / len(factors))
    return torch.sparse_coo_tensor(
        torch.from_numpy(np.stack(mean.coords)),
        torch.from_numpy(mean.data),
        mean.shape,
        check_invariants=True,
    ).coalesce()


def zoom_matrix(size: int, factor: float) -> Matrix:
    """Make the (size, size) matrix that enlarges the middle of a line; two weights in each row."""
    places = zoom_places(size, factor)
    low = np.floor(places).astype(int)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size), low), 1 - (places - low))
    np.add.at(matrix, (np.arange(size), np.minimum(low + 1, size - 1)), places - low)
    return matrix


def zoom_places(size: int, factor: float) -> NDArray[np.float64]:
    """Say where on a line of ``size`` pixels those of its enlarged middle lie."""
    cut = ceil(size / factor)
    enlarged = round(cut * factor)
    new = np.arange(size) + (enlarged - size) // 2
    places: NDArray[np.float64] = (size - cut) // 2 + new * (cut - 1) / max(enlarged - 1, 1)
    return places
