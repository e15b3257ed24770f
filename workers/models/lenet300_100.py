"""LeNet-300-100, a perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LeNet300x100(Model):
    """Hidden layers of 300 and 100 units, on images of ``size`` by ``size`` pixels."""

    size: int = 28

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"expected a size of at least 1, found {self.size}")

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, size, size) → (n, classes) logits."""
        from workers.architectures.lenet import LeNet300

        return LeNet300(size=self.size, channels=channels, classes=classes)
