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
        corners = maps[:, ::step, ::step].contiguous()
        upright, beside = corners + corners.roll(-1, 1), corners + corners.roll(-1, 2)
        centres = _wibbled(upright + upright.roll(-1, 2), wibble, generator)
        above, left = centres + centres.roll(1, 1), centres + centres.roll(1, 2)
        maps[:, half::step, half::step] = centres
        maps[:, ::step, half::step] = _wibbled(beside.add_(above), wibble, generator)
        maps[:, half::step, ::step] = _wibbled(upright.add_(left), wibble, generator)
        wibble, step = wibble / decay, half
    maps -= maps.amin(dim=(1, 2), keepdim=True)
    maps /= maps.amax(dim=(1, 2), keepdim=True)
    return maps


def _wibbled(sums: Tensor, wibble: float, generator: torch.Generator) -> Tensor:
    """Turn the sums of four neighbours into their mean and noise, in place."""
    noise = torch.empty_like(sums).uniform_(-(wibble**2), wibble**2, generator=generator)
    return sums.div_(4).add_(noise)
