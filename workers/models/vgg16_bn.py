"""VGG16 with batch normalisation, for small images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Vgg16Bn(Model):
    """Thirteen convolutions with bias, one linear layer; images of at least 32 by 32 pixels.

    ``width`` is the number of filters of the first stage; the last ones have 8 times as many.
    """

    width: int = 64

    def build(self, *, channels: int, classes: int) -> nn.Module:
        """Make a fresh network, (n, channels, height, width) → (n, classes) logits."""
        from workers.architectures.vgg import Vgg

        w = self.width
        layout: list[int | str] = []
        for filters, convs in ((w, 2), (2 * w, 2), (4 * w, 3), (8 * w, 3), (8 * w, 3)):
            layout += [*[filters] * convs, "M"]
        return Vgg(layout=layout, channels=channels, classes=classes, bias=True)
