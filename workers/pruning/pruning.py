"""Prunes one network by one method, always from where it began, to different budgets."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.contracts import Method, Samples
from workers.pruning.allocation.layer import expand_units
from workers.pruning.allocation.rankings import priorities
from workers.pruning.allocation.threshold import walk
from workers.pruning.paths import Paths
from workers.pruning.propagation import propagate_filters, propagate_weights
from workers.pruning.prunable import count
from workers.pruning.scoring import scored_layers


class Pruning:
    """Scores once, then prunes to any budget.

    Raises:
        PruneError: nothing is prunable, samples are missing, or the scores are unusable.

    """

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
        structured = samples and method.unit != "weight"
        self.paths = Paths.of(network, samples[0][0]) if structured else None

    def to(self, budget: int, *, exact: bool = True) -> int:
        """Prune until ``budget`` parameters are left, propagate zeros, and count what is left.

        Args:
            budget: nonzero parameters.
            exact: while choosing, count also what a unit leaves without a path.

        """
        self._restore()
        gone = walk(
            self.priorities,
            [layer.cost for layer in self.layers],
            self.nonzero - budget,
            self._remaining if self.paths and exact else None,
        )
        self._multiply([~g for g in gone])
        # What propagation would find on all samples is found here without any.
        if self.paths:
            self._keep(self.paths.on_path({layer.name: layer.weight != 0 for layer in self.layers}))
        weights = self.method.unit == "weight"
        (propagate_weights if weights else propagate_filters)(self.network, self.samples)
        return count(self.network).nonzero

    def _remaining(self, gone: list[Tensor]) -> int:
        assert self.paths is not None
        keep = {
            layer.name: expand_units(~g, layer.weight, layer.unit)
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
            layer.weight.mul_(expand_units(factor, layer.weight, layer.unit))
