"""The two LeNets of the pruning literature (LeCun et al., 1998)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from workers.architectures.initialisation import initialise_convolutions
from workers.contracts import PermanentError


class ImageSizeError(PermanentError):
    """Images of another size than the network was made for."""


class LeNet300(nn.Module):
    """A perceptron on ``size`` by ``size`` images with two hidden layers, of 300 and 100 units."""

    def __init__(self, *, size: int, channels: int, classes: int) -> None:
        super().__init__()
        self.size = size
        widths = (channels * size * size, 300, 100, classes)
        self.layers = nn.ModuleList(nn.Linear(*ends) for ends in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, size, size) to logits (n, classes)."""
        _expect(x, self.size)
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        logits: Tensor = self.layers[-1](x)
        return logits


class LeNet5(nn.Module):
    """Convolutions of 20 and 50 filters of 5x5, each halved by max pooling, then 500 units.

    The shapes are those that Caffe's example gave the literature; here the convolutions are
    followed by a ReLU too. ``size`` is at least 16, for one pixel to be left.
    """

    def __init__(self, *, size: int, channels: int, classes: int) -> None:
        super().__init__()
        self.size = size
        side = ((size - 4) // 2 - 4) // 2
        self.conv1 = nn.Conv2d(channels, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(50 * side * side, 500)
        self.fc2 = nn.Linear(500, classes)
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, size, size) to logits (n, classes)."""
        _expect(x, self.size)
        for conv in (self.conv1, self.conv2):
            x = nn.functional.max_pool2d(torch.relu(conv(x)), 2)
        logits: Tensor = self.fc2(torch.relu(self.fc1(x.flatten(1))))
        return logits


def _expect(images: Tensor, size: int) -> None:
    if images.shape[2:] != (size, size):
        height, width = images.shape[2:]
        raise ImageSizeError(
            f"expected images of {size} by {size}, found {height} by {width}; "
            "the model's option 'size' sets what it is made for"
        )
