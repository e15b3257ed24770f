"""ResNet110 for small images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class ResNet110(Model):
    """A residual network of 110 layers; ``width`` is the number of filters of its first stage."""

    width: int = 16

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.resnet import ResNet

        return ResNet(blocks=18, width=self.width, channels=channels, classes=classes)
