"""Adversarial attacks."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

from workers.contracts.task import Task

GRADIENT_PASSES = 2.5
"""Cost of the gradient with respect to an image, in forward passes: 2.3 to 2.9 (measured)."""


@dataclass(frozen=True, kw_only=True)
class Attack(Task):
    """An adversarial attack on the network and its normalisation together.

    ``epsilon`` bounds the change of an image, of pixels in [0, 1], in the norm of the attack.

    Raises:
        ValueError: ``epsilon`` is negative or not finite.

    """

    attacks: ClassVar[bool] = True

    epsilon: float = 8 / 255

    def __post_init__(self) -> None:
        if not (self.epsilon >= 0 and isfinite(self.epsilon)):
            raise ValueError(f"epsilon is {self.epsilon}, expected a radius of at least 0")

    @property
    def gradients(self) -> int:
        """Gradients that are taken of every image."""
        return 1

    @property
    def passes(self) -> float:
        """Cost of one image, the prediction of what the attack made of it included."""
        return 1 + GRADIENT_PASSES * self.gradients
