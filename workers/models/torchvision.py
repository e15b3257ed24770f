"""The classifiers of torchvision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Torchvision(Model):
    """Any classifier of torchvision by its ``name`` there, such as resnet18.

    ``weights`` names published ones, such as DEFAULT or IMAGENET1K_V1; without, it starts afresh.
    Classes and channels are those of the data.
    """

    name: str
    weights: str | None = None

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.torchvision_classifier import torchvision_classifier

        return torchvision_classifier(self.name, channels=channels, classes=classes)

    def load_published(self, network: nn.Module) -> None:
        """Download ``weights``, once per machine, and load what fits."""
        from workers.architectures.torchvision_classifier import load_published

        if self.weights is not None:
            load_published(network, self.name, self.weights)
