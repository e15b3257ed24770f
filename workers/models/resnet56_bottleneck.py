"""ResNet56 with bottleneck blocks, as in Lost in Pruning (MLSys 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class ResNet56Bottleneck(Model):
    """The ResNet56 of that paper's code: 9 bottleneck blocks per stage, hence 83 layers.

    ``width`` is the number of filters of its first stage, a quarter of what its blocks put out.
    """

    width: int = 16

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.residual_blocks import Bottleneck
        from workers.architectures.resnet import ResNet

        return ResNet(
            blocks=9, width=self.width, channels=channels, classes=classes, block=Bottleneck
        )
