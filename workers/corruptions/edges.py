"""Canny's edges and the distance to them, in integers, on a whole batch at once."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

UNIT = 10_000
"""Distances are whole multiples of 1 / UNIT pixels."""
STRAIGHT, DIAGONAL, KNIGHT = UNIT, round(1.4 * UNIT), round(2.1969 * UNIT)
"""Steps (1, 0), (1, 1) and (2, 1) of the 5 × 5 chamfer metric of Borgefors (1986), "Distance
transformations in digital images"; in whole numbers, so that sums and comparisons are exact."""
FAR = 1 << 28
"""Distance where an image has no edge."""
DOWNWARD = (
    (FAR, KNIGHT, FAR, KNIGHT, FAR),
    (KNIGHT, DIAGONAL, STRAIGHT, DIAGONAL, KNIGHT),
)
"""Steps from the last row but one, and from the last, of -2 to 2 columns."""
TANGENT = round(2**15 * (2**0.5 - 1))
"""tan 22.5°, times 2¹⁵."""


def canny(levels: Tensor, low: int, high: int) -> Tensor:
    """Find edges as Canny (1986), "A Computational Approach to Edge Detection".

    3 × 3 Sobel gradients, the edge pixels repeated; their length is |x| + |y|; only local maxima
    across the edge stay; of those above ``low`` the ones that hang together, over the 8 neighbours,
    with one above ``high``.

    Args:
        levels: (n, height, width), whole numbers of 0 to 255 in any type.
        low: lower threshold.
        high: upper threshold.

    Returns:
        ``bool`` (n, height, width).

    """
    x, y = _sobel(levels.int())
    length = x.abs() + y.abs()
    weak = (length > low) & _is_peak(x, y, length)
    strong = weak & (length > high)
    while not torch.equal(grown := weak & _neighbourhood(strong), strong):
        strong = grown
    return strong


def distance(edges: Tensor) -> Tensor:
    """Measure the 5 × 5 chamfer distance of every pixel from the nearest edge, in 1 / UNIT pixels.

    Args:
        edges: ``bool`` (n, height, width).

    Returns:
        ``int32`` (n, height, width), ``FAR`` throughout an image without edges.

    """
    start = torch.full(edges.shape, FAR, dtype=torch.int32, device=edges.device)
    below = _sweep(start.masked_fill_(edges, 0))
    return _sweep(below.flip(1)).flip(1).clamp_(max=FAR)


def _sobel(levels: Tensor) -> tuple[Tensor, Tensor]:
    p = pad(levels[:, None].float(), (1, 1, 1, 1), mode="replicate")[:, 0].int()
    rows = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    columns = p[:, :, :-2] + 2 * p[:, :, 1:-1] + p[:, :, 2:]
    return rows[:, :, 2:] - rows[:, :, :-2], columns[:, 2:] - columns[:, :-2]


def _is_peak(x: Tensor, y: Tensor, length: Tensor) -> Tensor:
    """Compare each length with the two along its gradient, rounded to a multiple of 45°."""
    height, width = length.shape[1:]
    p = pad(length, (1, 1, 1, 1))

    def at(down: int, right: int) -> Tensor:
        return p[:, 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    run, rise = x.abs() * TANGENT, y.abs() << 15
    flat = rise < run
    steep = rise > run + (x.abs() << 16)
    rising = (x ^ y) < 0
    diagonal = torch.where(
        rising,
        (length > at(-1, 1)) & (length > at(1, -1)),
        (length > at(-1, -1)) & (length > at(1, 1)),
    )
    across = (length > at(0, -1)) & (length >= at(0, 1))
    along = (length > at(-1, 0)) & (length >= at(1, 0))
    return torch.where(flat, across, torch.where(steep, along, diagonal))


def _neighbourhood(mask: Tensor) -> Tensor:
    return max_pool2d(mask[:, None].float(), 3, stride=1, padding=1)[:, 0] > 0


def _sweep(distances: Tensor) -> Tensor:
    """Carry distances down, row by row: a shortest path can take its level steps last."""
    count, height, width = distances.shape
    place = torch.arange(width, dtype=torch.int32, device=distances.device) * STRAIGHT
    steps = distances.new_tensor(DOWNWARD).view(2, 1, 5)
    above = distances.new_full((count, 2, width), FAR)
    rows = []
    for row in range(height):
        reached = pad(above, (2, 2), value=FAR).unfold(2, 5, 1) + steps
        nearest = reached.amin(dim=(1, 3)).minimum(distances[:, row])
        rightward = (nearest - place).cummin(1).values + place
        leftward = (nearest + place).flip(1).cummin(1).values.flip(1) - place
        rows.append(rightward.minimum(leftward))
        above = torch.stack([above[:, 1], rows[-1]], 1)
    return torch.stack(rows, 1)
