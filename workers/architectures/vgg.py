"""Plain convolutional networks in the style of VGG (Simonyan and Zisserman, 2015)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn


class Vgg(nn.Module):
    """Stages of two 3x3 convolutions with batch normalisation, halved in size between the stages.

    The last feature map is averaged, so that any image of at least 4 by 4 pixels will do.
    Convolutions start from N(0, √(2 / (k² · outputs))).
    """

    def __init__(self, *, widths: tuple[int, ...], channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((channels, *widths)):
            layers += [*_conv(inputs, outputs), *_conv(outputs, outputs), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers[:-1])
        self.linear = nn.Linear(widths[-1], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to logits (n, classes)."""
        logits: Tensor = self.linear(self.features(x).mean(dim=(2, 3)))
        return logits


def _conv(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return conv, nn.BatchNorm2d(outputs), nn.ReLU()
