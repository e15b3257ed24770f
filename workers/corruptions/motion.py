"""Motion blur along a line, every image of a batch at its own angle."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def motion_blur(images: Tensor, radius: int, sigma: float, angles: Tensor) -> Tensor:
    """Smear every image in one direction, as ImageMagick's motion blur does.

    Tap t = 0 … 2·radius of the one-sided kernel weighs exp(−t² / 2σ²), over their sum, and reads
    the pixel nearest to t steps along the angle; outside the image the edge pixel repeats.

    Args:
        images: (n, channels, height, width), floating.
        radius: the kernel has 2·radius + 1 taps.
        sigma: standard deviation of the kernel, pixels.
        angles: (n,) degrees; 0 reads to the right, 90 downwards.

    Returns:
        The shape, type and device of ``images``.

    """
    height, width = images.shape[2:]
    taps = torch.arange(2 * radius + 1, dtype=torch.float64)
    weights = torch.exp(-(taps**2) / (2 * sigma**2))
    # Beyond its own size an image is all edge, so neither margin nor offset need be larger.
    top, left = min(2 * radius, height), min(2 * radius, width)
    windows = pad(images, (left, left, top, top), mode="replicate")
    windows = windows.unfold(2, height, 1).unfold(3, width, 1)
    turns = torch.deg2rad(angles.double()).to(images.device)
    image = torch.arange(len(images), device=images.device)
    blurred = torch.zeros_like(images)
    for tap, weight in enumerate((weights / weights.sum()).tolist()):
        rows = _steps(tap * turns.sin(), top)
        columns = _steps(tap * turns.cos(), left)
        blurred.add_(windows[image, :, rows, columns], alpha=weight)
    return blurred


def _steps(distances: Tensor, margin: int) -> Tensor:
    """Round half down to whole pixels, counted from the margin's outer end."""
    return torch.ceil(distances - 0.5).long().clamp(-margin, margin) + margin
