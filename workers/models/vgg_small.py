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

        widths = (self.width, 2 * self.width, 4 * self.width)
        return Vgg(widths=widths, channels=channels, classes=classes)
