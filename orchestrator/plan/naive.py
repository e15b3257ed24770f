"""What the plain grid would cost, in which no work is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.plan.work import epochs_each
from workers.contracts import Chain

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan


def naive_epochs(plan: Plan) -> int:
    """Count the epochs of a grid in which every pruned network is a trial of its own.

    Such a trial trains its parent, then in a cascade replays every level before its own: with E
    epochs of training, e of retraining and R levels, a cascade costs R·E + e·R(R+1)/2 and one-shot
    R·(E + e).
    """
    return sum(_naive(chain) for chain in plan.chains)


def _naive(chain: Chain) -> int:
    if chain.retraining is None:
        return chain.training.epochs
    depth = dict.fromkeys((chain.parent,), 0)
    for level in chain.levels:
        depth[level.key] = depth[level.base] + 1
    replayed = sum(depth.values())
    return len(chain.levels) * chain.training.epochs + replayed * epochs_each(chain)
