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
from workers.pruning.allocation.layer import spread
from workers.pruning.allocation.rankings import priorities
from workers.pruning.allocation.walk import walk
from workers.pruning.bounds import DELTA
from workers.pruning.paths import Paths
from workers.pruning.propagation import propagate_filters, propagate_weights
from workers.pruning.prunable import count, masks_of
from workers.pruning.scoring import PruneError, scored_layers

__all__ = ["PruneError", "PruneResult", "prune", "within_tolerance"]

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
    attempts: int = ATTEMPTS,
) -> PruneResult:
    """Prune ``network``, in place, until the fraction ``ratio`` of all its parameters is 0.

    What is 0 already stays pruned, so the masks of a cascade are nested. Zeros are propagated with
    the samples; what they take with them changes the ratio, so the budget is corrected and the
    network pruned again from where it was until the ratio is within tolerance. Where that cannot
    be, the nearest ratio is taken and ``within_tolerance`` is false.

    Args:
        network: every parameter keeps its shape.
        method: says what goes.
        ratio: in [0, 1).
        samples: batches of at least two normalised images, with labels; can be iterated again.
            Empty: zeros do not propagate.
        generator: of a method's random choices, on the CPU; None: always the same.
        delta: the probability δ that the error bounds of SiPP and PFP fail.
        attempts: how often the budget is corrected at most.

    Raises:
        PruneError: ``ratio`` is outside [0, 1), nothing is prunable, or the scores are unusable.

    """
    if not 0 <= ratio < 1:
        raise PruneError(f"cannot prune to ratio {ratio}, expected at least 0 and below 1")
    size = count(network)
    if not method.pretends and size.nonzero > round((1 - ratio) * size.parameters):
        with evaluating(network):
            cut = _Cut(network, method, samples, generator or torch.Generator(), delta)
            _search(cut, ratio, attempts)
        size = count(network)
    achieved = ratio if method.pretends else 1 - size.nonzero / size.parameters
    return PruneResult(
        masks=masks_of(network),
        requested=ratio,
        achieved=achieved,
        within_tolerance=within_tolerance(achieved, ratio, size.parameters),
        parameters=size.parameters,
        nonzero=size.nonzero,
    )


def within_tolerance(achieved: float, ratio: float, parameters: int) -> bool:
    """Tell whether the ``achieved`` prune ratio is near enough to the requested ``ratio``.

    It may be off by ``TOLERANCE`` relative to what is pruned and, as in Lost in Pruning, to what is
    kept; half a weight is never a miss.
    """
    allowed = max(TOLERANCE * min(ratio, 1 - ratio), 0.5 / parameters)
    return abs(achieved - ratio) <= allowed * (1 + 1e-9)


def _search(cut: _Cut, ratio: float, attempts: int) -> None:
    """Prune to budgets that close in on the ratio, and leave the nearest result."""
    parameters = count(cut.network).parameters
    target = round((1 - ratio) * parameters)
    budget, reached = target, dict[int, int]()
    while budget not in reached and len(reached) < attempts:
        reached[budget] = cut.to(budget)
        if within_tolerance(1 - reached[budget] / parameters, ratio, parameters):
            return
        last, budget = budget, _next_budget(reached, budget, target)
    best = min(reached, key=lambda tried: abs(reached[tried] - target))
    if best != last:
        cut.to(best)


def _next_budget(reached: dict[int, int], last: int, target: int) -> int:
    """Correct the last budget by its miss until one lies on either side, then halve in between."""
    too_small = [tried for tried in reached if reached[tried] < target]
    too_large = [tried for tried in reached if reached[tried] > target]
    if too_small and too_large:
        return (max(too_small) + min(too_large)) // 2
    return last - (reached[last] - target)


class _Cut:
    """Prunes a network, always from where it began, to different budgets."""

    def __init__(
        self,
        network: nn.Module,
        method: Method,
        samples: Samples,
        generator: torch.Generator,
        delta: float,
    ) -> None:
        self.network, self.method, self.samples = network, method, samples
        self.layers = scored_layers(network, method, samples, generator, delta)
        self.priorities = priorities(self.layers, method.allocation)
        self.seed = int(torch.randint(2**63 - 1, (), generator=generator))
        self.start = [parameter.detach().clone() for parameter in network.parameters()]
        self.nonzero = count(network).nonzero
        example = next((images for images, _ in samples), None)
        self.paths = (
            None if example is None or method.unit == "weight" else Paths.of(network, example)
        )

    def to(self, budget: int) -> int:
        """Prune until ``budget`` parameters are left, propagate zeros, and count what is left."""
        self._restore()
        gone = walk(
            self.priorities,
            [layer.cost for layer in self.layers],
            self.nonzero - budget,
            self._remaining if self.paths else None,
        )
        self._multiply([~g for g in gone])
        # What propagation would find on all samples is found here without any.
        if self.paths:
            self._keep(self.paths.on_path({layer.name: layer.weight != 0 for layer in self.layers}))
        if any(True for _ in self.samples):
            weights = self.method.unit == "weight"
            (propagate_weights if weights else propagate_filters)(self.network, self.samples)
        return count(self.network).nonzero

    def _remaining(self, gone: list[Tensor]) -> int:
        assert self.paths is not None
        keep = {
            layer.name: spread(~g, layer.weight, layer.unit)
            for layer, g in zip(self.layers, gone, strict=True)
        }
        return self.paths.remaining(keep)

    @torch.no_grad()
    def _restore(self) -> None:
        torch._foreach_copy_(list(self.network.parameters()), self.start)

    @torch.no_grad()
    def _keep(self, alive: dict[str, Tensor]) -> None:
        for layer in self.layers:
            layer.weight.mul_(alive[layer.name])

    @torch.no_grad()
    def _multiply(self, kept: list[Tensor]) -> None:
        again = torch.Generator().manual_seed(self.seed)
        for layer, units in zip(self.layers, kept, strict=True):
            factor = self.method.multiplier(layer, units, again).to(layer.weight.dtype)
            layer.weight.mul_(spread(factor, layer.weight, layer.unit))
