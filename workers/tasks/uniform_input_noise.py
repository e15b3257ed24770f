"""Uniform noise on the normalised input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Task

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class UniformInputNoise(Task):
    """x' = x + U(−level, level) per value, after normalisation.

    The noise of Lost in Pruning (MLSys 2021), whose ε is ``level``.

    Raises:
        ValueError: ``level`` is negative or not a number.

    """

    level: float = 0.1

    def __post_init__(self) -> None:
        if not self.level >= 0:
            raise ValueError(f"level is {self.level}, expected a half-width of at least 0")

    def perturb(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Add independent noise to every value; nothing is clipped."""
        unit = batch.new_empty(batch.shape, device=generator.device).uniform_(generator=generator)
        noise = self.level * (2 * unit - 1)
        return batch + noise.to(batch.device)
