"""Wide residual networks (Zagoruyko and Komodakis, 2016), without dropout."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.architectures.initialisation import initialise_convolutions


class PreActivationBlock(nn.Module):
    """Normalise and activate before each of two 3x3 convolutions (He et al., 2016b, figure 1b).

    Where the shape changes, the shortcut is a 1x1 convolution of the first activation.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = (
            nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            if stride != 1 or inputs != outputs
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        active = torch.relu(self.bn1(x))
        out: Tensor = self.conv2(torch.relu(self.bn2(self.conv1(active))))
        return out + (x if self.shortcut is None else self.shortcut(active))


class WideResNet(nn.Module):
    """Three stages of ``blocks`` blocks, of 16, 32 and 64 times ``widening`` filters.

    Its depth is 6 ``blocks`` + 4; the first convolution has 16 filters.
    """

    def __init__(self, *, blocks: int, widening: int, channels: int, classes: int) -> None:
        super().__init__()
        width = 16 * widening
        self.conv = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.stages = nn.Sequential(
            _stage(16, width, blocks, stride=1),
            _stage(width, 2 * width, blocks, stride=2),
            _stage(2 * width, 4 * width, blocks, stride=2),
        )
        self.bn = nn.BatchNorm2d(4 * width)
        self.linear = nn.Linear(4 * width, classes)
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to logits (n, classes)."""
        out = torch.relu(self.bn(self.stages(self.conv(x))))
        logits: Tensor = self.linear(out.mean(dim=(2, 3)))
        return logits


def _stage(inputs: int, outputs: int, blocks: int, *, stride: int) -> nn.Sequential:
    first = PreActivationBlock(inputs, outputs, stride)
    return nn.Sequential(
        first, *(PreActivationBlock(outputs, outputs, 1) for _ in range(blocks - 1))
    )
