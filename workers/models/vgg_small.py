"""A small VGG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class VggSmall(Model):
    """Three stages of two convolutions, of ``width``, 2 and 4 times ``width`` filters."""

    width: int = 32

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.vgg import Vgg

        w = self.width
        layout = (w, w, "M", 2 * w, 2 * w, "M", 4 * w, 4 * w)
        return Vgg(layout=layout, channels=channels, classes=classes)
