"""Canny's edges and the distance to them, in integers, on a whole batch at once."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

UNIT = 10_000
"""Distances are whole multiples of 1 / UNIT pixels."""
STRAIGHT, DIAGONAL, KNIGHT = UNIT, round(1.4 * UNIT), round(2.1969 * UNIT)
"""Steps (1, 0), (1, 1) and (2, 1) of the 5 × 5 chamfer metric of Borgefors (1986), "Distance
transformations in digital images"; in whole numbers, so that sums and comparisons are exact."""
FAR = 1 << 28
"""Distance where an image has no edge."""
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
    """Spread to the 8 neighbours."""
    p = pad(mask, (1, 1, 1, 1))
    rows = p[:, :-2] | p[:, 1:-1] | p[:, 2:]
    return rows[:, :, :-2] | rows[:, :, 1:-1] | rows[:, :, 2:]


def _sweep(distances: Tensor) -> Tensor:
    """Carry distances down, row by row: a shortest path can take its level steps last."""
    count, height, width = distances.shape
    place = torch.arange(width, dtype=torch.int32, device=distances.device) * STRAIGHT
    rows = distances.new_full((height + 2, count, width + 4), FAR)
    for row, start in enumerate(distances.unbind(1)):
        nearest = start.minimum(_stepped_down(rows[row], rows[row + 1]))
        rightward = (nearest - place).cummin(1).values + place
        leftward = (nearest + place).flip(1).cummin(1).values.flip(1) - place
        torch.minimum(rightward, leftward, out=rows[row + 2, :, 2:-2])
    return rows[2:, :, 2:-2].transpose(0, 1)


def _stepped_down(last_but_one: Tensor, last: Tensor) -> Tensor:
    """Step from the last two rows, (n, width + 4), to the next, (n, width)."""
    straight = last[:, 2:-2] + STRAIGHT
    diagonal = last[:, 1:-3].minimum(last[:, 3:-1]) + DIAGONAL
    flat = last[:, :-4].minimum(last[:, 4:])
    steep = last_but_one[:, 1:-3].minimum(last_but_one[:, 3:-1])
    return straight.minimum(diagonal).minimum(flat.minimum(steep) + KNIGHT)
