"""The classifiers of timm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Timm(Model):
    """Any classifier of timm by its ``name`` there, such as resnet18; needs ``prunesweep[timm]``.

    ``pretrained`` starts from the weights that timm publishes for it, or for the tag in a name
    like resnet18.a1_in1k; without, it starts afresh. Classes and channels are those of the data.
    """

    name: str
    pretrained: bool = False

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.timm_classifier import timm_classifier

        return timm_classifier(self.name, channels=channels, classes=classes)

    def load_published(self, network: nn.Module) -> None:
        """Download the published weights, once per machine, and load what fits."""
        from workers.architectures.timm_classifier import load_published

        if self.pretrained:
            load_published(network, self.name)
