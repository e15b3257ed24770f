"""Enlargements of the middle of images, one or the mean of many."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

from workers.corruptions.separable import Matrix, filter_lines

VALUES = 1 << 17
"""Old pixels that are looked up at once, to keep the lists of them short."""


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
    size = 4 * len(factors)
    rows, row_weights = _corners(height, factors, (2, 1))
    columns, column_weights = _corners(width, factors, (1, 2))
    lines = images.flatten(2).flatten(0, 1).T.contiguous()
    made = torch.empty_like(lines)
    for strip in torch.split(torch.arange(height), max(1, VALUES // (width * size))):
        places = rows[strip, None] * width + columns
        weights = (row_weights[strip, None] * column_weights).to(images.dtype)
        made[strip[0] * width : (strip[-1] + 1) * width] = embedding_bag(
            places.view(-1, size).to(images.device),
            lines,
            per_sample_weights=weights.view(-1, size).to(images.device),
            mode="sum",
        )
    return made.T.contiguous().view(images.shape)


def _corners(
    size: int, factors: Sequence[float], repeats: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Find the two old pixels that each factor makes a new pixel of, and their shares of the mean.

    Returns (size, 4 · factors) each: the pairs repeat as of the four corners of a square.
    """
    places = torch.from_numpy(np.stack([zoom_places(size, factor) for factor in factors], 1))
    low = places.floor().clamp(max=size - 2)
    share = places - low
    pairs = torch.stack([low, low + 1], 2).int(), torch.stack([1 - share, share], 2)
    over, each = repeats
    index, weight = (p.repeat(1, 1, over).repeat_interleave(each, 2).flatten(1) for p in pairs)
    return index, weight / sqrt(len(factors))


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
