"""SNIP: the weights that the loss is least sensitive to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Method, Samples

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Snip(Method):
    """Connection sensitivity |W · ∂L/∂W|, one ranking over all layers.

    Lee et al., "SNIP: Single-shot network pruning based on connection sensitivity" (2019). The
    gradient is that of the mean loss over all samples, so signs count before they are dropped.
    """

    needs_samples = True

    def scores(
        self, network: torch.nn.Module, samples: Samples, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Score every weight by the change of the loss if it went, to first order."""
        import torch

        from workers.loss import loss
        from workers.pruning.prunable import prunable_weights

        weights = prunable_weights(network)
        total = {name: torch.zeros_like(w) for name, w in weights.items()}
        seen = 0
        for images, labels in samples:
            gradients = torch.autograd.grad(
                loss(network(images), labels), list(weights.values()), allow_unused=True
            )
            for name, gradient in zip(weights, gradients, strict=True):
                if gradient is not None:
                    total[name] += len(labels) * gradient
            seen += len(labels)
        return {name: (w.detach() * total[name] / seen).abs() for name, w in weights.items()}
