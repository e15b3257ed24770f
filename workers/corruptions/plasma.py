"""Plasma fractals: cloud maps by the diamond-square algorithm."""

from __future__ import annotations

import torch
from torch import Tensor

WIBBLE = 100.0


def plasma(count: int, size: int, decay: float, generator: torch.Generator) -> Tensor:
    """Draw cloud maps, periodic in both axes.

    From one corner, at every scale: each square's centre, then each edge's middle, becomes the mean
    of its four neighbours plus uniform noise of ± wibble². The wibble starts at 100 and is divided
    by ``decay`` from scale to scale.

    Args:
        count: number of maps, n.
        size: side of a map, a power of two.
        decay: the larger, the smoother.
        generator: draws the noise, on its own device.

    Returns:
        ``float32`` (n, size, size), the smallest value of each map 0, the largest 1.

    """
    maps = torch.zeros(count, size, size, device=generator.device)
    wibble, step = WIBBLE, size
    while step >= 2:
        half = step // 2
        corners, centres = maps[:, ::step, ::step], maps[:, half::step, half::step]
        across, down = maps[:, ::step, half::step], maps[:, half::step, ::step]
        pairs = corners + corners.roll(-1, 1)
        centres.copy_(_wibbled(pairs + pairs.roll(-1, 2), wibble, generator))
        beside, above = corners + corners.roll(-1, 2), centres + centres.roll(1, 1)
        across.copy_(_wibbled(beside + above, wibble, generator))
        upright, left = corners + corners.roll(-1, 1), centres + centres.roll(1, 2)
        down.copy_(_wibbled(upright + left, wibble, generator))
        wibble, step = wibble / decay, half
    maps -= maps.amin(dim=(1, 2), keepdim=True)
    return maps / maps.amax(dim=(1, 2), keepdim=True)


def _wibbled(sums: Tensor, wibble: float, generator: torch.Generator) -> Tensor:
    noise = torch.empty(sums.shape, device=sums.device)
    return sums / 4 + noise.uniform_(-(wibble**2), wibble**2, generator=generator)
