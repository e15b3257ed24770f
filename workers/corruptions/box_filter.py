"""The box filter of Pillow 13, to the bit, on a whole batch of images at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

WEIGHT_BITS = 22
"""Pillow resamples 8-bit images with weights that are whole multiples of 2⁻²²."""


def resize(levels: Tensor, height: int, width: int) -> Tensor:
    """Resize images with the box filter of Pillow's ``Image.resize``.

    Every pass rounds to 8 bits, so their order shows: columns go first, unless more than twice as
    many rows as columns go.

    Args:
        levels: ``uint8`` of shape (old height, old width, …); what follows the first two axes
            (images, channels) lies together in memory, so that every operation moves whole runs.
        height: new height.
        width: new width.

    Returns:
        ``uint8`` of shape (height, width, …).

    """
    rows_first = levels.shape[0] - height > 2 * (levels.shape[1] - width)
    for axis in (0, 1) if rows_first else (1, 0):
        levels = _resample(levels, axis, (height, width)[axis])
    return levels


def resize_by_pillow(levels: Tensor, *sizes: tuple[int, int]) -> Tensor:
    """Resize images by Pillow, one by one, to one size after the other.

    Args:
        levels: ``uint8`` of shape (n, 1 or 3, height, width), on the CPU.
        sizes: height and width.

    Returns:
        ``uint8`` of shape (n, 1 or 3, height, width).

    """
    # Stacking copies whole planes, which is faster than a permutation of all axes.
    images = torch.stack(levels.unbind(1), -1).numpy()
    resized = np.stack([_resized(image, sizes) for image in images])
    return torch.from_numpy(resized).view(len(levels), *sizes[-1], -1).permute(0, 3, 1, 2)


def _resized(image: NDArray[np.uint8], sizes: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    for height, width in sizes:
        picture = picture.resize((width, height), Image.Resampling.BOX)
    return np.asarray(picture)


def _resample(levels: Tensor, axis: int, size: int) -> Tensor:
    """Resize one axis: every new pixel is the rounded mean of a window of old ones."""
    first, count = (torch.from_numpy(part) for part in _windows(levels.shape[axis], size))
    resized = _pick(levels, axis, first)
    for width in range(2, int(count.max()) + 1):
        wide = torch.nonzero(count == width)[:, 0]
        total = sum(_pick(levels, axis, first[wide] + tap).int() for tap in range(width))
        weight = int(0.5 + 2**WEIGHT_BITS / width)
        mean = (total * weight + 2 ** (WEIGHT_BITS - 1)) >> WEIGHT_BITS
        resized.index_copy_(axis, wide.to(levels.device), mean.byte())
    return resized


def _pick(levels: Tensor, axis: int, index: Tensor) -> Tensor:
    return levels.index_select(axis, index.to(levels.device))


def _windows(old: int, new: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First old pixel, and number of old pixels, under each of the ``new`` ones.

    The box takes the old pixels at a distance in (−½, ½] of its centre, in units of its width, and
    its ends are rounded besides, as Pillow does; the two differ where a pixel lies on an end.
    """
    scale = old / new
    reach = max(scale, 1.0)
    centre = ((np.arange(new) + 0.5) * scale)[:, None]
    pixel = np.arange(old)
    low, high = (np.floor(centre + half + 0.5) for half in (-0.5 * reach, 0.5 * reach))
    distance = (pixel - centre + 0.5) * (1 / reach)
    inside = (pixel >= low) & (pixel < high) & (distance > -0.5) & (distance <= 0.5)
    return inside.argmax(1), inside.sum(1)
