"""WRN-16-8, a wide residual network for small images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Wrn16x8(Model):
    """A pre-activation residual network of 16 layers, 8 times as wide as usual, without dropout."""

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.wide_resnet import WideResNet

        return WideResNet(blocks=2, widening=8, channels=channels, classes=classes)
