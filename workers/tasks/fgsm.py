"""The fast gradient sign method, one step to the edge of the l∞ ball.

Goodfellow et al. (2015), "Explaining and Harnessing Adversarial Examples".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Attack

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class FastGradientSign(Attack):
    """x' = clip(x + ε · sign(∇ loss)), of pixels x in [0, 1]; ε is 8/255 by default."""

    def attack(
        self,
        predict: Callable[[torch.Tensor], torch.Tensor],
        pixels: torch.Tensor,
        labels: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Take the step; nothing is random."""
        from workers.attacks.gradient_steps import projected_gradient

        return projected_gradient(
            predict,
            pixels,
            labels,
            start=pixels,
            norm="linf",
            epsilon=self.epsilon,
            step=self.epsilon,
            steps=1,
        )
