"""torchvision's DeepLabV3-ResNet50, for segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class DeepLabV3ResNet50(Model):
    """For segmentation: a class for every pixel, and an auxiliary head that helps training.

    ``weights`` and ``backbone`` name published ones of the whole network and of its ResNet50, such
    as DEFAULT; without, it starts afresh. Classes and channels are those of the data. Training
    needs batches of two images or more, for the statistics of its image-level features.
    """

    weights: str | None = None
    backbone: str | None = None

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network.

        It maps (n, channels, height, width) to ``out`` and ``aux``, (n, classes, height, width)
        logits each.
        """
        from workers.architectures.deeplabv3 import deeplabv3_resnet50

        return deeplabv3_resnet50(channels=channels, classes=classes)

    def load_published(self, network: nn.Module) -> None:
        """Download ``backbone`` and ``weights``, once per machine, and load what fits."""
        from workers.architectures.torchvision_classifier import load_published

        if self.backbone is not None:
            load_published(network, "resnet50", self.backbone, prefix="backbone.")
        if self.weights is not None:
            load_published(network, "deeplabv3_resnet50", self.weights)
