"""LeNet-5, in the shape that Caffe gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LeNet5Caffe(Model):
    """Convolutions of 20 and 50 filters and 500 units, on ``size`` by ``size`` pixels."""

    size: int = 28

    def __post_init__(self) -> None:
        if self.size < 16:
            raise ValueError(f"expected a size of at least 16, found {self.size}")

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, size, size) → (n, classes) logits."""
        from workers.architectures.lenet import LeNet5

        return LeNet5(size=self.size, channels=channels, classes=classes)
