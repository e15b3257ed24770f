"""Motion blur along a line, every image of a batch at its own angle."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

from workers.corruptions.chunks import chunk_length

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
    turns, order = torch.deg2rad(angles.double().cpu()).sort()
    weights, length = _weights(radius, sigma), chunk_length(images)
    blurred = torch.empty(images.shape, dtype=images.dtype, device=images.device)
    for place, turn in zip(*(torch.split(t, length) for t in (order, turns)), strict=True):
        chunk = place.to(images.device)
        blurred[chunk] = _smeared(images[chunk], turn, weights)
    return blurred


def _smeared(images: Tensor, turns: Tensor, weights: list[float]) -> Tensor:
    """Smear images sorted by their angle ``turns``, radians, on the CPU.

    All pixels of an image read from the same distance in memory, margins included, so that a tap
    adds one stretch of memory to another.
    """
    height, width = images.shape[2:]
    taps = torch.arange(len(weights))[:, None]
    rows, columns = _steps(taps * turns.sin(), height), _steps(taps * turns.cos(), width)
    (top, bottom), (left, right) = ((-s.min(), s.max()) for s in (rows, columns))
    padded = pad(images, [int(m) for m in (left, right, top, bottom)], mode="replicate")
    distances = (rows + top) * padded.shape[3] + columns + left
    size, source = padded[0].numel(), padded.flatten()
    total = torch.zeros_like(source)
    for tap, start, stop, distance in _runs(distances):
        read = source[start * size + distance : stop * size]
        total[start * size : stop * size - distance].add_(read, alpha=weights[tap])
    return total.view(padded.shape)[:, :, :height, :width]


def _weights(radius: int, sigma: float) -> list[float]:
    taps = torch.arange(2 * radius + 1, dtype=torch.float64)
    weights = torch.exp(-(taps**2) / (2 * sigma**2))
    kept = weights[weights > NEGLIGIBLE * weights.sum()]
    shares: list[float] = (kept / kept.sum()).tolist()
    return shares


def _steps(distances: Tensor, limit: int) -> Tensor:
    """Round half down to whole pixels, cut to the image's own size: beyond, all is edge."""
    return torch.ceil(distances - 0.5).long().clamp(-limit, limit)


def _runs(distances: Tensor) -> Iterator[tuple[int, int, int, int]]:
    """Return tap, start, stop and distance of every stretch of equal distances, (taps, n)."""
    is_start = torch.ones_like(distances, dtype=torch.bool)
    is_start[:, 1:] = distances.diff() != 0
    is_stop = is_start.roll(-1, 1)
    taps, starts = is_start.nonzero(as_tuple=True)
    stops = is_stop.nonzero(as_tuple=True)[1] + 1
    parts = (taps, starts, stops, distances[is_start])
    return zip(*(part.tolist() for part in parts), strict=True)
