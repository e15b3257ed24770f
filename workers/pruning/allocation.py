"""Which units go: the lowest of one ranking over all layers, or the same fraction of every layer.

A unit is what a method scores, a weight or a filter; its cost is the number of nonzero weights that
go with it, and 0 if it is gone already. Both allocations are a walk along one ranking: ``global``
ranks by score, ``uniform`` by the place within the layer, (rank + ½) / units left, which is the
fraction at which rounding removes that unit. The achieved size is a step function of how far one
walks, so its breakpoints are searched exactly instead of by root finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor


def allocate(
    scores: Sequence[Tensor],
    costs: Sequence[Tensor],
    amount: int,
    *,
    allocation: Literal["global", "uniform"],
    keep_one: bool,
) -> list[Tensor]:
    """Choose the units of smallest score whose total cost is nearest to ``amount``.

    Ties go in order of index (layer, then unit), so that layers of one width differ by one filter
    at most where that brings the cost nearer.

    Args:
        scores: one tensor per layer, finite.
        costs: of the shapes of ``scores``; integer or boolean.
        amount: the wanted total cost.
        allocation: one ranking, or the same fraction of what is left in every layer.
        keep_one: never remove the last unit of a layer. Always so for ``uniform``.

    Returns:
        One boolean tensor per layer, of the shape of its scores: what goes.

    """
    uniform = allocation == "uniform"
    priority = [s.flatten() for s in scores]
    cost = [c.flatten() for c in costs]
    may_go = [c > 0 for c in cost]
    if uniform or keep_one:
        ranks = [_ranks(s, left) for s, left in zip(priority, may_go, strict=True)]
        left = [go.sum() for go in may_go]
        may_go = [go & (r < n - 1) for go, r, n in zip(may_go, ranks, left, strict=True)]
        if uniform:
            priority = [(r.double() + 0.5) / n for r, n in zip(ranks, left, strict=True)]
    ranking = torch.cat([p.where(go, torch.inf) for p, go in zip(priority, may_go, strict=True)])
    spent = torch.cat([c * go for c, go in zip(cost, may_go, strict=True)])
    choose = _lowest if spent.dtype == torch.bool else _nearest
    parts = torch.split(choose(ranking, spent, amount), [s.numel() for s in scores])
    return [part.view_as(s) for part, s in zip(parts, scores, strict=True)]


def _lowest(priority: Tensor, cost: Tensor, amount: int) -> Tensor:
    """Do what ``_nearest`` does where every cost is 0 or 1, by a partition instead of a sort."""
    amount = min(amount, int(cost.count_nonzero()))
    if amount <= 0:
        return torch.zeros_like(cost)
    limit = priority.kthvalue(amount).values
    selected = priority < limit
    equal = torch.nonzero(priority == limit)[:, 0]
    selected[equal[: amount - int(selected.count_nonzero())]] = True
    return selected


def _nearest(priority: Tensor, cost: Tensor, amount: int) -> Tensor:
    """Select the lowest priorities whose cost comes nearest to ``amount`` (the smaller if even)."""
    order = priority.argsort(stable=True)
    distance = (cost[order].cumsum(0, dtype=torch.int64) - amount).abs()
    selected = torch.zeros_like(priority, dtype=torch.bool)
    if distance.numel() and distance.min() < abs(amount):
        selected[order[: int(distance.argmin()) + 1]] = True
    return selected


def _ranks(score: Tensor, left: Tensor) -> Tensor:
    """Place of every unit in ascending score among those ``left``; the others come after them."""
    order = score.where(left, torch.inf).argsort(stable=True)
    places = torch.arange(order.numel(), device=order.device)
    return torch.empty_like(order).scatter_(0, order, places)
