"""Motion blur along a line, every image of a batch at its own angle."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

NEGLIGIBLE = 1e-10
"""Taps of a smaller share do not change a sum in float32."""


def motion_blur(images: Tensor, radius: int, sigma: float, angles: Tensor) -> Tensor:
    """Smear every image in one direction, as ImageMagick's motion blur does.

    Tap t = 0 … 2·radius of the one-sided kernel weighs exp(−t² / 2σ²), over their sum, and reads
    the pixel nearest to t steps along the angle; outside the image the edge pixel repeats.

    Sorted by angle, images whose tap reads the same pixel are neighbours and are added at once.

    Args:
        images: (n, channels, height, width), floating.
        radius: the kernel has 2·radius + 1 taps.
        sigma: standard deviation of the kernel, pixels.
        angles: (n,) degrees; 0 reads to the right, 90 downwards.

    Returns:
        The shape, type and device of ``images``.

    """
    height, width = images.shape[2:]
    # Beyond its own size an image is all edge, so neither margin nor offset need be larger.
    top, left = min(2 * radius, height), min(2 * radius, width)
    turns, order = torch.deg2rad(angles.double().cpu()).sort()
    place = order.to(images.device)
    padded = pad(images[place], (left, left, top, top), mode="replicate")
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    total = torch.zeros_like(images)
    for tap, weight in enumerate(_weights(radius, sigma)):
        rows, columns = _steps(tap * turns.sin(), top), _steps(tap * turns.cos(), left)
        for start, stop, row, column in _runs(rows, columns):
            total[start:stop].add_(windows[start:stop, :, row, column], alpha=weight)
    blurred = torch.empty_like(total)
    blurred[place] = total
    return blurred


def _weights(radius: int, sigma: float) -> list[float]:
    taps = torch.arange(2 * radius + 1, dtype=torch.float64)
    weights = torch.exp(-(taps**2) / (2 * sigma**2))
    kept = weights[weights > NEGLIGIBLE * weights.sum()]
    shares: list[float] = (kept / kept.sum()).tolist()
    return shares


def _steps(distances: Tensor, margin: int) -> Tensor:
    """Round half down to whole pixels, counted from the margin's outer end."""
    return torch.ceil(distances - 0.5).long().clamp(-margin, margin) + margin


def _runs(rows: Tensor, columns: Tensor) -> Iterator[tuple[int, int, int, int]]:
    """Return start, stop, row and column of every stretch of equal rows and columns."""
    changes = (rows.diff() != 0) | (columns.diff() != 0)
    starts = [0, *(torch.nonzero(changes).flatten() + 1).tolist()]
    stops = [*starts[1:], len(rows)]
    places = rows[starts].tolist(), columns[starts].tolist()
    return zip(starts, stops, *places, strict=True)
