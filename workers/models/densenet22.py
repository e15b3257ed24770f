"""DenseNet22 for small images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class DenseNet22(Model):
    """A DenseNet-BC of 22 layers that compresses by 2; each layer adds ``growth`` feature maps."""

    growth: int = 12

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.densenet import DenseNet

        return DenseNet(layers=3, growth=self.growth, channels=channels, classes=classes)
