"""Gaussian noise on the normalised input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Task

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class GaussianInputNoise(Task):
    """x' = x + N(0, level²) per value, after normalisation; level is the standard deviation.

    Raises:
        ValueError: ``level`` is negative or not a number.

    """

    level: float = 0.1

    def __post_init__(self) -> None:
        if not self.level >= 0:
            raise ValueError(f"level is {self.level}, expected a standard deviation of at least 0")

    def perturb(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Add independent noise to every value; nothing is clipped."""
        unit = batch.new_empty(batch.shape, device=generator.device).normal_(generator=generator)
        noise = self.level * unit
        return batch + noise.to(batch.device)
