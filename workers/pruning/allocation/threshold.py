"""Goes along a ranking of units until what is left is nearest to a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Count = Callable[[list[Tensor]], int]


def walk(
    priorities: Sequence[Tensor], costs: Sequence[Tensor], amount: int, remaining: Count | None
) -> list[Tensor]:
    """Choose the units of lowest priority with which ``amount`` nonzero weights go, or nearest to.

    Ties go in order of index (layer, then unit).

    Args:
        priorities: one tensor per layer; ∞ where a unit stays.
        costs: of the same shapes; what goes with a unit if nothing else followed from it.
        amount: of nonzero weights to remove.
        remaining: counts the nonzero weights that are left, given what goes; it may count more than
            the sum of the costs, must not grow with what goes, and is asked about a dozen times.
            None: the costs add up.

    Returns:
        One boolean tensor per layer, of the shape of its priorities: what goes.

    """
    ranking = torch.cat([p.flatten() for p in priorities])
    cost = torch.cat([c.flatten() for c in costs])
    may_go = int((ranking < torch.inf).sum())
    sizes = [p.numel() for p in priorities]

    def shaped(chosen: Tensor) -> list[Tensor]:
        parts = torch.split(chosen, sizes)
        return [part.view_as(p) for part, p in zip(parts, priorities, strict=True)]

    if cost.dtype == torch.bool and remaining is None:
        return shaped(_lowest(ranking, min(amount, may_go)))
    order = ranking.argsort(stable=True)[:may_go]
    if remaining is None:
        return shaped(_first(order, _nearest(cost[order], amount), len(ranking)))
    before = remaining(shaped(torch.zeros_like(cost, dtype=torch.bool)))
    steps = _search(
        lambda steps: before - remaining(shaped(_first(order, steps, len(ranking)))), may_go, amount
    )
    return shaped(_first(order, steps, len(ranking)))


def _lowest(ranking: Tensor, count: int) -> Tensor:
    """Select the ``count`` lowest by a partition instead of a sort, the first of equals."""
    if count <= 0:
        return torch.zeros_like(ranking, dtype=torch.bool)
    limit = ranking.kthvalue(count).values
    selected = ranking < limit
    equal = torch.nonzero(ranking == limit)[:, 0]
    selected[equal[: count - int(selected.count_nonzero())]] = True
    return selected


def _first(order: Tensor, steps: int, size: int) -> Tensor:
    selected = torch.zeros(size, dtype=torch.bool, device=order.device)
    selected[order[:steps]] = True
    return selected


def _nearest(cost: Tensor, amount: int) -> int:
    """Return how many go so that their cost is nearest to ``amount``; the fewer if even."""
    distance = (cost.cumsum(0, dtype=torch.int64) - amount).abs()
    if not len(distance) or distance.min() >= abs(amount):
        return 0
    return int(distance.argmin()) + 1


def _search(removed: Callable[[int], int], limit: int, amount: int) -> int:
    """Do what ``_nearest`` does by halving, where what goes must be counted anew every time."""
    low, high = 0, limit
    gone = {0: 0, limit: removed(limit)}
    if gone[limit] <= amount:
        return limit
    while high - low > 1:
        middle = (low + high) // 2
        gone[middle] = removed(middle)
        low, high = (middle, high) if gone[middle] <= amount else (low, middle)
    return low if amount - gone[low] <= gone[high] - amount else high
