"""FAB: steps from one linear boundary to the next, kept near to the clean image.

Croce & Hein (2020), "Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary
Attack", algorithm 1 with one target class per image, as AutoAttack has it. It looks for the
smallest change that makes the network err, and knows no ε.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workers.attacks.balls import Norm, size
from workers.attacks.gradient_steps import Predict, climbing
from workers.attacks.logits import chosen, margins

PULL = 0.1
"""Largest share of the step that starts at the clean image (α_max)."""
BEYOND = 1.05
"""By how much a step goes beyond the boundary (η)."""
BACK = 0.9
"""What is left of the change after the network erred (β)."""
SEARCHES = 3
PAST = 1e-4
"""By how much the final search aims beyond the boundary, so that rounding does not decide."""


def boundary_attack(
    predict: Predict, clean: Tensor, labels: Tensor, targets: Tensor, *, norm: Norm, steps: int
) -> tuple[Tensor, Tensor]:
    """Look for the nearest mistaken point, at a cost of ``steps`` gradients.

    As many forward passes check the points, and ``SEARCHES`` + 2 search the line to the clean
    image.

    Args:
        predict: pixels → logits.
        clean: float32 in [0, 1] of shape (n, channels, height, width), which the network gets
            right.
        labels: (n,).
        targets: (n,), the class that each image is driven to; any mistake counts.
        norm: of the change.
        steps: how many.

    Returns:
        The nearest mistaken point of each image, the clean image where there is none, and of shape
        (n,) the norm of the change, infinite there.

    """

    def lead(logits: Tensor, labels: Tensor) -> Tensor:
        return chosen(logits, labels) - chosen(logits, targets)

    here, nearest = clean, clean
    distance = torch.full_like(clean[:, 0, 0, 0], torch.inf)
    for _ in range(steps):
        logits, gradient = climbing(predict, here, labels, lead)
        gap = -lead(logits, labels)
        step = to_hyperplane(here, gradient, gap, norm)
        from_clean = gap + (gradient * (here - clean)).sum((1, 2, 3))
        direct = to_hyperplane(clean, gradient, from_clean, norm)
        short, far = size(step, norm), size(direct, norm)
        smallest = torch.finfo(far.dtype).tiny
        pull = (short / (short + far).clamp_min(smallest)).clamp_max(PULL)[:, None, None, None]
        here = ((1 - pull) * (here + BEYOND * step) + pull * (clean + BEYOND * direct)).clamp(0, 1)
        wrong = predict(here).detach().argmax(1) != labels
        now = size(here - clean, norm)
        closer = wrong & (now < distance)
        nearest = torch.where(closer[:, None, None, None], here, nearest)
        distance = torch.where(closer, now, distance)
        here = torch.where(wrong[:, None, None, None], clean + BACK * (here - clean), here)
    nearest = _on_the_line(predict, clean, labels, nearest)
    return nearest, torch.where(distance.isfinite(), size(nearest - clean, norm), distance)


def to_hyperplane(points: Tensor, normal: Tensor, gap: Tensor, norm: Norm) -> Tensor:
    """Return the smallest change d with ⟨normal, d⟩ = gap that stays in the cube [0, 1].

    A coordinate moves in proportion to the radius λ, at the pace 1 in l∞ and |normal| in l2, until
    it is at the cube. Then ⟨normal, d⟩ is linear between the radii where one gets there. Where the
    plane does not meet the cube, all coordinates get there.

    Args:
        points: in [0, 1], of shape (n, channels, height, width).
        normal: as ``points``.
        gap: (n,).
        norm: of the change.

    """
    smallest = torch.finfo(points.dtype).tiny
    flat, normal = points.flatten(1), normal.flatten(1)
    scale = normal.abs().amax(1, keepdim=True).clamp_min(smallest)
    normal, gap = normal / scale, gap[:, None] / scale
    towards, weight = normal.sign() * gap.sign(), normal.abs()
    room = torch.where(towards > 0, 1 - flat, flat)
    pace = weight if norm == "l2" else torch.ones_like(weight)
    until = room / pace.clamp_min(smallest)
    radius = _radius(until, weight * pace, gap.abs())
    return (towards * pace * torch.minimum(radius, until)).view_as(points)


def _radius(until: Tensor, gain: Tensor, wanted: Tensor) -> Tensor:
    """Solve Σ gain · min(λ, until) = wanted for λ, or give the largest ``until``; (n, 1).

    Args:
        until: (n, coordinates), λ at which each stops.
        gain: as ``until``, per unit of λ before that.
        wanted: (n, 1).

    """
    until, order = until.sort(1)
    gain = gain.gather(1, order)
    stopped = (gain * until).cumsum(1)
    moving = gain.flip(1).cumsum(1).flip(1)
    reached = stopped - gain * until + moving * until
    first = (reached < wanted).sum(1, keepdim=True).clamp_max(until.shape[1] - 1)
    done = stopped.gather(1, first) - (gain * until).gather(1, first)
    slope = moving.gather(1, first).clamp_min(torch.finfo(gain.dtype).tiny)
    return torch.minimum((wanted - done) / slope, until[:, -1:])


def _on_the_line(predict: Predict, clean: Tensor, labels: Tensor, points: Tensor) -> Tensor:
    """Look between clean images and mistaken points for nearer ones, by regula falsi.

    It is exact where the network is linear on the line.
    """
    low, high = torch.zeros_like(clean[:, :1, :1, :1]), torch.ones_like(clean[:, :1, :1, :1])
    at_low, at_high = _margin(predict, clean, labels), _margin(predict, points, labels)
    for _ in range(SEARCHES):
        fall = (at_low - at_high).clamp_min(torch.finfo(clean.dtype).tiny)
        crossing = low + (high - low) * at_low / fall
        trial = torch.minimum(crossing * (1 + PAST), high)
        there = _margin(predict, _between(clean, points, trial), labels)
        wrong = there < 0
        low, at_low = torch.where(wrong, low, trial), torch.where(wrong, at_low, there)
        high, at_high = torch.where(wrong, trial, high), torch.where(wrong, there, at_high)
    return torch.where(high < 1, _between(clean, points, high), points)


def _between(clean: Tensor, points: Tensor, share: Tensor) -> Tensor:
    return (clean + share * (points - clean)).clamp(0, 1)


def _margin(predict: Predict, pixels: Tensor, labels: Tensor) -> Tensor:
    """Return the lead of the label over the strongest other class, of shape (n, 1, 1, 1)."""
    return margins(predict(pixels).detach(), labels)[:, None, None, None]
