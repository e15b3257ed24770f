"""The square attack: a random search that needs the logits alone.

Andriushchenko et al. (2020), "Square Attack: a Query-Efficient Black-Box Adversarial Attack via
Random Search", algorithms 1 to 3, with the margin as loss and the sizes of AutoAttack.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.attacks.balls import Norm, nearest, steepest
from workers.attacks.gradient_steps import Predict
from workers.attacks.logits import margins
from workers.attacks.square_shapes import bumps, side, signs, windows

TILES = 5
"""Tiles along the shorter side at the start in l2."""
LEAST = 3
"""Side of the smallest windows in l2, where all sides are odd."""


def square_attack(
    predict: Predict,
    clean: Tensor,
    labels: Tensor,
    *,
    left: Tensor,
    norm: Norm,
    epsilon: float,
    queries: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Ask the network ``queries`` times, and keep of each image what lowered its margin.

    Args:
        predict: pixels → logits.
        clean: float32 in [0, 1] of shape (n, channels, height, width).
        labels: (n,).
        left: (n,), which images to attack. Draws are made for all, so that those of an image do not
            depend on the fate of another.
        norm: of the ball.
        epsilon: radius of the ball.
        queries: how many; an image is left alone as soon as the network errs on it.
        generator: on the CPU.

    Returns:
        The point of the lowest margin of each image that is attacked, and whether the network errs
        there.

    """
    start, draw, propose = (
        (_stripes, _drawn_colours, _painted) if norm == "linf" else (_tiles, _drawn_bumps, _moved)
    )
    best, found = start(clean, epsilon, generator), left.clone()
    chosen = left.nonzero()[:, 0]
    points, originals, truth = best[chosen], clean[chosen], labels[chosen]
    lowest = torch.full_like(points[:, 0, 0, 0], torch.inf)
    for query in range(queries):
        if not len(chosen):
            break
        trial = points
        if query:
            draws = draw(clean.shape, side(query - 1, *clean.shape[2:]), generator)
            own = (one.to(clean.device)[chosen] for one in draws)
            trial = propose(originals, points, epsilon, *own)
        margin = margins(predict(trial).detach(), truth)
        lower = margin < lowest
        points = torch.where(lower[:, None, None, None], trial, points)
        lowest = torch.where(lower, margin, lowest)
        if (lowest < 0).any():
            best[chosen] = points
            state = (chosen, points, originals, truth, lowest)
            chosen, points, originals, truth, lowest = (one[lowest >= 0] for one in state)
    best[chosen], found[chosen] = points, False
    return best[left], found[left]


def _stripes(clean: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """Add ε or −ε to whole columns of a channel."""
    count, channels, _, width = clean.shape
    stripes = signs((count, channels, 1, width), generator).to(clean.device)
    return (clean + epsilon * stripes).clamp(0, 1)


def _drawn_colours(
    shape: torch.Size, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    return windows(shape, size, generator), signs((*shape[:2], 1), generator)


def _painted(
    clean: Tensor, points: Tensor, epsilon: float, pixels: Tensor, colours: Tensor
) -> Tensor:
    """Change a window by ε or −ε in each channel, in place of how it was changed before."""
    pixels = pixels.expand(-1, clean.shape[1], -1)
    painted = (clean.flatten(2).gather(2, pixels) + epsilon * colours).clamp(0, 1)
    return points.flatten(2).scatter(2, pixels, painted).view_as(clean)


def _tiles(clean: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """Add a change of norm ε: tiles of bumps, of a random direction and sign each."""
    count, channels, height, width = clean.shape
    size = max(1, min(height, width) // TILES)
    rows, columns = height // size, width // size
    lying = torch.randint(2, (count, 1, rows, columns), generator=generator)
    tiles = bumps(size)[lying] * signs((count, channels, rows, columns, 1, 1), generator)
    tiled = tiles.transpose(3, 4).reshape(count, channels, rows * size, columns * size)
    above, before = (height - rows * size) // 2, (width - columns * size) // 2
    below, after = height - rows * size - above, width - columns * size - before
    change = F.pad(tiled, (before, after, above, below)).to(clean.device)
    return (clean + epsilon * steepest(change, "l2")).clamp(0, 1)


def _drawn_bumps(
    shape: torch.Size, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    size = min(max(size, LEAST) // 2 * 2 + 1, (min(shape[2:]) - 1) // 2 * 2 + 1)
    first, emptied = (windows(shape, size, generator) for _ in range(2))
    lying = torch.randint(2, (shape[0], 1), generator=generator)
    bump = bumps(size).flatten(1)[lying] * signs((*shape[:2], 1), generator)
    return first, emptied, bump


def _moved(
    clean: Tensor, points: Tensor, epsilon: float, first: Tensor, emptied: Tensor, bump: Tensor
) -> Tensor:
    """Add a bump in one window, of the norm that is taken from another one and that is unused."""
    change = (points - clean).flatten(2)
    first, emptied = (one.expand(-1, clean.shape[1], -1) for one in (first, emptied))
    rest = change.scatter(2, first, 0).scatter(2, emptied, 0)
    before, kept = (one.square().sum(2, keepdim=True) for one in (change, rest))
    unused = (epsilon**2 - before.sum(1, keepdim=True)).clamp_min(0) / clean.shape[1]
    budget = ((before - kept).clamp_min(0) + unused).sqrt()
    added = _unit(bump + _unit(change.gather(2, first)))
    moved = rest.scatter(2, first, budget * added).view_as(clean)
    return nearest(clean + moved, clean, "l2", epsilon)


def _unit(change: Tensor) -> Tensor:
    """Scale each channel of each image, (n, channels, pixels), to l2 norm 1, unless it is 0."""
    norms: Tensor = torch.linalg.vector_norm(change, dim=2, keepdim=True)
    return change / norms.clamp_min(torch.finfo(change.dtype).tiny)
