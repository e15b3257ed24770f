"""Densely connected networks for small images (Huang et al., 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.architectures.initialisation import initialise_convolutions

BLOCKS = 3


class DenseLayer(nn.Module):
    """A 1x1 convolution to 4 ``growth`` maps, a 3x3 one to ``growth``, after what came in."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, inputs + growth, h, w)."""
        out = self.conv1(torch.relu(self.bn1(x)))
        return torch.cat([x, self.conv2(torch.relu(self.bn2(out)))], dim=1)


class Transition(nn.Module):
    """A 1x1 convolution to half the maps, and an average over 2x2."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, inputs // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, inputs / 2, h / 2, w / 2)."""
        return nn.functional.avg_pool2d(self.conv(torch.relu(self.bn(x))), 2)


class DenseNet(nn.Module):
    """DenseNet-BC: three blocks of ``layers`` dense layers, a compression by 2 between them.

    Its depth is 6 ``layers`` + 4; the first convolution has 2 ``growth`` filters.
    """

    def __init__(self, *, layers: int, growth: int, channels: int, classes: int) -> None:
        super().__init__()
        width = 2 * growth
        self.conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        features: list[nn.Module] = []
        for block in range(BLOCKS):
            if block:
                features.append(Transition(width))
                width //= 2
            features += [DenseLayer(width + i * growth, growth) for i in range(layers)]
            width += layers * growth
        self.features = nn.Sequential(*features)
        self.bn = nn.BatchNorm2d(width)
        self.linear = nn.Linear(width, classes)
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to logits (n, classes)."""
        out = torch.relu(self.bn(self.features(self.conv(x))))
        logits: Tensor = self.linear(out.mean(dim=(2, 3)))
        return logits
