"""Residual networks for small images (He et al., 2016, section 4.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.architectures.initialisation import initialise_convolutions
from workers.architectures.residual_blocks import BasicBlock, Bottleneck


class ResNet(nn.Module):
    """Three stages of ``blocks`` blocks, of ``width``, 2 and 4 times ``width`` filters.

    Bottleneck blocks have four times as many outputs. The depth is 6 ``blocks`` + 2, or 9
    ``blocks`` + 2 with bottlenecks.
    """

    def __init__(
        self,
        *,
        blocks: int,
        width: int,
        channels: int,
        classes: int,
        block: type[BasicBlock | Bottleneck] = BasicBlock,
    ) -> None:
        super().__init__()
        outputs = [block.expansion * width * factor for factor in (1, 2, 4)]
        self.conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.stages = nn.Sequential(
            _stage(block, width, outputs[0], blocks, stride=1),
            _stage(block, outputs[0], outputs[1], blocks, stride=2),
            _stage(block, outputs[1], outputs[2], blocks, stride=2),
        )
        self.linear = nn.Linear(outputs[2], classes)
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to logits (n, classes)."""
        out: Tensor = self.stages(torch.relu(self.bn(self.conv(x))))
        logits: Tensor = self.linear(out.mean(dim=(2, 3)))
        return logits


def _stage(
    block: type[BasicBlock | Bottleneck], inputs: int, outputs: int, blocks: int, *, stride: int
) -> nn.Sequential:
    first = block(inputs, outputs, stride)
    return nn.Sequential(first, *(block(outputs, outputs, 1) for _ in range(blocks - 1)))
