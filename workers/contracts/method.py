"""Pruning methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from workers.contracts.plug_in import PlugIn

if TYPE_CHECKING:
    import torch

    from workers.pruning.allocation.layer import ScoredLayer

Unit = Literal["weight", "filter", "channel"]
Spared = Literal["first", "last"]
Allocation = Literal["global", "uniform", "per_filter", "error_level", "filter_error"]
Samples = Sequence[tuple["torch.Tensor", "torch.Tensor"]]


@dataclass(frozen=True, kw_only=True)
class Method(PlugIn):
    """A pruning method: what it prunes, how it scores it, and how a budget is shared out.

    A ``unit`` is a single weight, an output filter of a layer, or an input channel of a layer (each
    consumer on its own). ``spares`` exempts the units of the first or
    last layer in the order of ``modules()``, as the code of Lost in Pruning does. The counted
    ratio, nested masks and the propagation of zeros are shared by all methods. One that
    ``pretends`` prunes nothing and counts as if it had.
    """

    unit: ClassVar[Unit] = "weight"
    spares: ClassVar[Spared | None] = None
    needs_samples: ClassVar[bool] = False
    pretends: ClassVar[bool] = False

    @property
    def allocation(self) -> Allocation:
        """Which units go first.

        ``global``: the lowest scores of all layers; ``uniform``: the same fraction of every layer;
        ``per_filter``: the same number of weights stays in every filter; ``error_level``: layers
        share one error bound (PFP); ``filter_error``: the sum of the filters' bounds is least
        (SiPP's random variants).
        """
        return "global"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every unit; within a layer the smallest scores are pruned first.

        Args:
            network: in evaluation mode, never changed.
            samples: batches of normalised images (n, channels, height, width) with labels (n,),
                empty where the data set holds nothing out, which ``needs_samples`` forbids.
            generator: on the CPU; the only source of randomness.

        Returns:
            For each prunable parameter name a tensor of the weight's shape, or of shape (filters,)
            or (channels,).

        """
        raise NotImplementedError

    def multiplier(
        self, layer: ScoredLayer, kept: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Say what the units of a layer are multiplied by: 1 if kept, unless they are sampled.

        Args:
            layer: the layer and its scores; not to be changed.
            kept: booleans of the shape of its scores: what the allocation keeps.
            generator: on the CPU; the only source of randomness.

        Returns:
            Numbers of that shape; 0 prunes.

        """
        return kept
