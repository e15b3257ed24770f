"""Prunes a network to a ratio: scores, allocation, masks, and what follows from them.

The prune ratio is 1 − nonzero / parameters over *all* parameters (Lost in Pruning, MLSys 2021).
Biases and normalisation count in the total; a method never prunes them, but zeros propagate to what
they leave without effect. Weights that are exactly 0 count as pruned and are masked, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.contracts import Method, Samples
from workers.modes import evaluating
from workers.pruning.bounds import DELTA
from workers.pruning.prunable import count, masks_of
from workers.pruning.pruning import Pruning
from workers.pruning.scoring import PruneError

__all__ = ["PruneError", "PruneResult", "prune", "result_of"]

TOLERANCE = 0.005
"""Accepted distance between the requested and the achieved keep ratio, relative to the former."""
ATTEMPTS = 10
"""How often at most the budget is corrected for what zeros take with them."""


@dataclass(frozen=True)
class PruneResult:
    """What pruning did.

    Attributes:
        masks: for each prunable layer's weight and bias a tensor of 0 and 1 in its shape, dtype and
            device.
        requested: the ratio asked for.
        achieved: 1 − nonzero / parameters.
        within_tolerance: whether ``achieved`` is near enough (see ``within_tolerance``).
        parameters: entries of all parameters.
        nonzero: how many of them differ from 0.

    """

    masks: dict[str, Tensor]
    requested: float
    achieved: float
    within_tolerance: bool
    parameters: int
    nonzero: int


def prune(
    network: nn.Module,
    method: Method,
    ratio: float,
    *,
    samples: Samples = (),
    generator: torch.Generator | None = None,
    delta: float = DELTA,
    exact: bool = True,
) -> PruneResult:
    """Prune ``network``, in place, until the fraction ``ratio`` of all its parameters is 0.

    What is 0 already stays pruned, so the masks of a cascade are nested. Zeros are propagated with
    the samples; what they take with them changes the ratio, so the budget is corrected and the
    network pruned again from where it was until the ratio is within tolerance. Where that cannot
    be, the nearest ratio that was found is taken and ``within_tolerance`` is false.

    Args:
        network: every parameter keeps its shape.
        method: says what goes.
        ratio: in [0, 1).
        samples: batches of at least two normalised images, with labels. Empty: zeros do not
            propagate.
        generator: of a method's random choices, on the CPU; None: always the same.
        delta: the probability δ that the error bounds of SiPP and PFP fail.
        exact: False: prune once, to about the ratio, without counting what follows from it.

    Raises:
        PruneError: ``ratio`` is outside [0, 1), nothing is prunable, or the scores are unusable.

    """
    if not 0 <= ratio < 1:
        raise PruneError(f"cannot prune to ratio {ratio}, expected at least 0 and below 1")
    if not method.pretends and count(network).nonzero > budget_of(network, ratio):
        with evaluating(network):
            pruning = Pruning(network, method, samples, generator or torch.Generator(), delta)
            _search(pruning, ratio) if exact else pruning.to(budget_of(network, ratio), exact=False)
    return result_of(network, ratio, pretends=method.pretends)


def result_of(network: nn.Module, ratio: float, *, pretends: bool = False) -> PruneResult:
    """Measure a network that ``ratio`` was asked of; a control counts as if it had been pruned."""
    size = count(network)
    achieved = ratio if pretends else 1 - size.nonzero / size.parameters
    return PruneResult(
        masks=masks_of(network),
        requested=ratio,
        achieved=achieved,
        within_tolerance=within_tolerance(achieved, ratio, size.parameters),
        parameters=size.parameters,
        nonzero=size.nonzero,
    )


def budget_of(network: nn.Module, ratio: float) -> int:
    """How many parameters of ``network`` are left at a prune ratio."""
    return round((1 - ratio) * count(network).parameters)


def within_tolerance(achieved: float, ratio: float, parameters: int) -> bool:
    """Tell whether the ``achieved`` prune ratio is near enough to the requested ``ratio``.

    It may be off by ``TOLERANCE`` relative to what is pruned and, as in Lost in Pruning, to what is
    kept; half a weight is never a miss.
    """
    allowed = max(TOLERANCE * min(ratio, 1 - ratio), 0.5 / parameters)
    return abs(achieved - ratio) <= allowed * (1 + 1e-9)


def _search(pruning: Pruning, ratio: float) -> None:
    """Prune to budgets that close in on the ratio, and leave the nearest result."""
    parameters = count(pruning.network).parameters
    target = budget_of(pruning.network, ratio)
    budget, reached = target, dict[int, int]()
    while budget not in reached and len(reached) < ATTEMPTS:
        reached[budget] = pruning.to(budget)
        if within_tolerance(1 - reached[budget] / parameters, ratio, parameters):
            return
        last, budget = budget, _next_budget(reached, budget, target)
    best = min(reached, key=lambda tried: abs(reached[tried] - target))
    if best != last:
        pruning.to(best)


def _next_budget(reached: dict[int, int], last: int, target: int) -> int:
    """Correct the last budget by its miss until one lies on either side, then halve in between."""
    too_small = [tried for tried in reached if reached[tried] < target]
    too_large = [tried for tried in reached if reached[tried] > target]
    if too_small and too_large:
        return (max(too_small) + min(too_large)) // 2
    return last - (reached[last] - target)
