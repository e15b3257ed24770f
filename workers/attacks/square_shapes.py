"""What the square attack paints: windows of random colours, and the bumps of its l2 version.

Andriushchenko et al. (2020), "Square Attack: a Query-Efficient Black-Box Adversarial Attack via
Random Search". Every image has its own draws, all from one generator on the CPU.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

SHARE = 0.8
"""Share of the pixels in a window at the start, of AutoAttack."""
HALVED_AFTER = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""The queries after which the share is halved, however many there are."""


def side(query: int, height: int, width: int) -> int:
    """Return the side of a window, which has a share of all pixels.

    Args:
        query: how many windows were asked about before.
        height, width: of the images.

    """
    share = SHARE / 2 ** sum(query > after for after in HALVED_AFTER)
    return min(max(round(sqrt(share * height * width)), 1), height, width)


def signs(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw 1 or −1."""
    return 2.0 * torch.randint(2, shape, generator=generator) - 1


def windows(shape: torch.Size, side: int, generator: torch.Generator) -> Tensor:
    """Draw a square of each image, as numbers of its pixels row by row, (n, 1, side²).

    Args:
        shape: of the images, (n, channels, height, width).
        side: of the squares.
        generator: on the CPU, as is what is returned.

    """
    count, _, height, width = shape
    top = torch.randint(height - side + 1, (count, 1, 1), generator=generator)
    left = torch.randint(width - side + 1, (count, 1, 1), generator=generator)
    along = torch.arange(side)
    return ((top + along[:, None]) * width + left + along).flatten(1)[:, None]


def bumps(side: int) -> Tensor:
    """Return two opposite hills of l2 norm 1, one above the other, and the same side by side.

    Each has, at the distance d from its centre in l∞, the height Σ 1 / k² over d < k ≤ K, K being
    the larger half of its sides plus 1 (the paper's η).

    Returns:
        (2, side, side).

    """
    upper, lower = (_hill(height, side) for height in (side // 2, side - side // 2))
    both = torch.cat([upper, -lower])
    both = both / torch.linalg.vector_norm(both)
    return torch.stack([both, both.T])


def _hill(height: int, width: int) -> Tensor:
    centres = (height // 2, width // 2)
    away = [(torch.arange(n) - c).abs() for n, c in zip((height, width), centres, strict=True)]
    distance = torch.maximum(away[0][:, None], away[1])
    terms = 1 / torch.arange(1, max(centres) + 2).square()
    heights = terms.flip(0).cumsum(0).flip(0)
    hill = heights[distance]
    norm: Tensor = torch.linalg.vector_norm(hill)
    return hill / norm.clamp_min(torch.finfo(hill.dtype).tiny)
