"""Filter thresholding: the same fraction of filters of smallest norm goes from every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.contracts import Allocation, Method, Samples

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class FilterThresholding(Method):
    """Norm of each output filter, the same fraction from every layer but the last.

    l1 is Li et al., "Pruning filters for efficient ConvNets" (2017), as in Lost in Pruning (2021);
    l2 is the criterion of He et al., "Soft filter pruning" (2018).
    """

    unit = "filter"
    spares = "last"

    norm: Literal["l1", "l2"] = "l1"

    @property
    def allocation(self) -> Allocation:
        """The same fraction of every layer."""
        return "uniform"

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every filter by the norm of its weights, shape (filters,)."""
        from workers.pruning.prunable import prunable_weights

        rows = {name: w.detach().flatten(1) for name, w in prunable_weights(network).items()}
        if self.norm == "l1":
            return {name: row.abs().sum(1) for name, row in rows.items()}
        return {name: row.square().sum(1).sqrt() for name, row in rows.items()}
