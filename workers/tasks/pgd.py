"""Projected gradient descent, the attack of adversarial training.

Madry et al. (2018), "Towards Deep Learning Models Resistant to Adversarial Attacks".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.contracts import Attack

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class ProjectedGradient(Attack):
    """``steps`` steps of length ``step`` up the loss, each projected onto the ball of ε.

    The ball is one of ``norm``, and the walk starts at a random point of it. Without a ``step``, it
    is 2.5 ε / steps, so that every point of the ball can be reached: 2/255 for the defaults, which
    are the usual ones for CIFAR-10; in l2 ε = 0.5 is.

    Raises:
        ValueError: ``epsilon`` is negative, or ``step`` or ``steps`` not positive.

    """

    norm: Literal["linf", "l2"] = "linf"
    step: float | None = None
    steps: int = 10
    random_start: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step is not None and not self.step > 0:
            raise ValueError(f"step is {self.step}, expected a length above 0")
        if self.steps < 1:
            raise ValueError(f"steps is {self.steps}, expected at least 1")

    @property
    def gradients(self) -> int:
        """One per step."""
        return self.steps

    def attack(
        self,
        predict: Callable[[torch.Tensor], torch.Tensor],
        pixels: torch.Tensor,
        labels: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Return where the walk ends."""
        from workers.attacks.balls import random_point
        from workers.attacks.gradient_steps import projected_gradient

        start = pixels
        if self.random_start:
            start = random_point(pixels, self.norm, self.epsilon, generator)
        return projected_gradient(
            predict,
            pixels,
            labels,
            start=start,
            norm=self.norm,
            epsilon=self.epsilon,
            step=2.5 * self.epsilon / self.steps if self.step is None else self.step,
            steps=self.steps,
        )
