"""The control: nothing is pruned, but everything else happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Method, Samples

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Reference(Method):
    """The dense network, retrained at every level and counted at the ratio that was asked for.

    What retraining alone does to a curve (``FakeNet`` in the code of Lost in Pruning, 2021).
    """

    pretends = True

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every weight alike."""
        import torch

        from workers.pruning.prunable import prunable_weights

        return {name: torch.ones_like(w) for name, w in prunable_weights(network).items()}
