"""Which weights still lie on a path from the input to the output, whatever their values and data.

When every consumer of a filter is pruned, or everything that feeds a channel, the weights in
between can go too. One pass of a stand-in for the network tells: where weights are not pruned they
are equal and sum to 1 in every filter, biases are 0, normalisation is the identity, and the input
is all ones. Nothing is negative then, so nothing cancels, and a weight's gradient is 0 if no path
leads through it (the device of SynFlow, Tanaka et al., 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workers.pruning.prunable import prunable_weights


class Paths:
    """Counts what is left of a network on paths, for many candidates of what goes."""

    def __init__(self, network: nn.Module, example: Tensor) -> None:
        """Take the network as it is now, in evaluation mode."""
        weights = prunable_weights(network)
        self._network = network
        self._input = torch.ones_like(example[:1])
        self._nonzero = {name: weight.detach() != 0 for name, weight in weights.items()}
        self._others = {
            name: _stand_in(name, tensor.detach())
            for name, tensor in (*network.named_parameters(), *network.named_buffers())
            if tensor.is_floating_point() and name not in weights
        }

    @classmethod
    def of(cls, network: nn.Module, example: Tensor) -> Self | None:
        """Make one if the network can be told by paths, else return None.

        It cannot where a layer subtracts (layer normalisation) or compares (attention): there, a
        weight that works seems to be on no path.
        """
        paths = cls(network, example)
        seen = paths.on_path({})
        return paths if all(torch.equal(seen[n], w) for n, w in paths._nonzero.items()) else None

    def on_path(self, keep: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tell which nonzero weights lie on a path once only ``keep`` is left.

        Args:
            keep: booleans of the shape of some weights; the others stay as they are.

        """
        left = {name: w & keep[name] if name in keep else w for name, w in self._nonzero.items()}
        weights = {name: _equal(alive).requires_grad_() for name, alive in left.items()}
        output = functional_call(self._network, {**self._others, **weights}, (self._input,))
        outputs = output.values() if isinstance(output, dict) else (output,)
        total = torch.stack([o.sum() for o in outputs]).sum()
        gradients = torch.autograd.grad(
            total, list(weights.values()), allow_unused=True, materialize_grads=True
        )
        return {
            name: alive & _units(gradient)
            for (name, alive), gradient in zip(left.items(), gradients, strict=True)
        }

    def remaining(self, keep: Mapping[str, Tensor]) -> int:
        """Count the weights that are neither pruned nor off every path."""
        return sum(int(alive.sum()) for alive in self.on_path(keep).values())


def _stand_in(name: str, tensor: Tensor) -> Tensor:
    match name.rpartition(".")[2]:
        case "bias" | "running_mean":
            return torch.zeros_like(tensor)
        case "running_var":
            return torch.ones_like(tensor)
    return _equal(tensor != 0)


def _equal(alive: Tensor) -> Tensor:
    """Give what is alive of a filter equal weights of sum 1, so that signals do not vanish."""
    if alive.dim() < 2:
        return alive.float()
    rows = alive.flatten(1).float()
    return (rows / rows.sum(1, keepdim=True).clamp(min=1)).view_as(alive)


def _units(gradient: Tensor) -> Tensor:
    """Pairs of filter and channel with a path, at every position of the kernel."""
    pairs = (gradient != 0).flatten(2).any(2) if gradient.dim() > 2 else gradient != 0
    return pairs.view(*pairs.shape, *[1] * (gradient.dim() - 2))
