"""Keeps pruned weights at zero while the others train."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workers.contracts import PermanentError


class MaskViolatedError(PermanentError):
    """A pruned weight is no longer zero: the network changes its weights in a way of its own."""


class Masks:
    """0/1 masks over some parameters of a network, outside of the network."""

    def __init__(self, network: nn.Module, masks: Mapping[str, Tensor]) -> None:
        """Take the masks by parameter name; the parameters must stay where they are in memory.

        Raises:
            KeyError: the network has no parameter of such a name.

        """
        parameters = dict(network.named_parameters())
        self._weights = {name: parameters[name].detach() for name in masks}
        # One device, type and memory layout with the weights lets all products be one fused call.
        self._masks = [torch.empty_like(w).copy_(masks[n]) for n, w in self._weights.items()]

    def apply(self) -> None:
        """Set masked weights to zero, in one fused call."""
        if self._masks:
            torch._foreach_mul_(list(self._weights.values()), self._masks)

    def check(self) -> None:
        """Check that mask · weight = weight.

        Raises:
            MaskViolatedError: it is not.

        """
        pairs = zip(self._weights.items(), self._masks, strict=True)
        broken = [name for (name, weight), mask in pairs if not torch.equal(weight * mask, weight)]
        if broken:
            raise MaskViolatedError(f"pruned weights are not zero in {', '.join(broken)}")
