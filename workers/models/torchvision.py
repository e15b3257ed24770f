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
        """Make the network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.torchvision_classifier import torchvision_classifier

        return torchvision_classifier(
            self.name, weights=self.weights, channels=channels, classes=classes
        )
