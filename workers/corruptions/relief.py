"""The relief of drops: how light falls on liquid, from the distance to its edges."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from workers.corruptions.edges import UNIT, canny, distance

THRESHOLDS = (50, 150)
LIMIT = 20
"""Distances are cut to this many pixels."""
BOX = (1,) * 9
EMBOSSING = (-2, -1, 0, -1, 1, 1, 0, 1, 2)


def relief(levels: Tensor) -> Tensor:
    """Light a liquid: the drops of the spatter of Hendrycks & Dietterich (2019).

    The chamfer distance from Canny's edges, cut, averaged over 3 × 3 and truncated to a level, is
    histogram-equalised, embossed, cut to 8 bits and averaged over 3 × 3 again, rounded.

    Args:
        levels: ``int32`` (n, height, width) of 0 to 255.

    Returns:
        ``int32`` (n, height, width) of 0 to 255.

    """
    distances = distance(canny(levels, *THRESHOLDS)).clamp(max=LIMIT * UNIT)
    depths = equalised(_filtered(distances, BOX) // (9 * UNIT))
    embossed = _filtered(depths, EMBOSSING).clamp(0, 255)
    # Adding half of 9 makes rounding of the truncation; there are no ties in ninths.
    return (_filtered(embossed, BOX) + 4) // 9


def equalised(levels: Tensor) -> Tensor:
    """Equalise each image's histogram: the lowest level becomes 0, the highest 255.

    A level becomes 255 · (number of pixels up to it, without the lowest) / (number of pixels,
    without the lowest); an image of one level stays as it is.

    Args:
        levels: ``int32`` (n, height, width) of 0 to ``LIMIT``.

    """
    flat = levels.flatten(1).long()
    counts = torch.zeros(len(flat), LIMIT + 1, dtype=torch.int64, device=flat.device)
    counts.scatter_add_(1, flat, torch.ones_like(flat))
    up_to = counts.cumsum(1)
    lowest = counts.gather(1, flat.amin(1, keepdim=True))
    others = flat.shape[1] - lowest
    # In float32, where ties of the rounding fall as in the usual 8-bit implementation.
    scale = 255 / others.clamp(min=1).float()
    table = torch.round((up_to - lowest).clamp(min=0).float() * scale).long()
    return torch.where(others > 0, table.gather(1, flat), flat).view_as(levels).int()


def _filtered(levels: Tensor, taps: tuple[int, ...]) -> Tensor:
    """Weigh the nine neighbours of every pixel, row by row, mirrored about the edge pixel."""
    height, width = levels.shape[1:]
    mirrored = pad(levels[:, None].float(), (1, 1, 1, 1), mode="reflect")[:, 0].int()
    total = torch.zeros_like(levels)
    for place, tap in enumerate(taps):
        down, right = divmod(place, 3)
        total.add_(mirrored[:, down : down + height, right : right + width], alpha=tap)
    return total
