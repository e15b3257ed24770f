"""The layer that sees the image."""

from __future__ import annotations

from copy import deepcopy

from torch import nn


def take_channels(network: nn.Module, channels: int) -> None:
    """Make the first convolution of ``network`` anew, in place, if it takes other ``channels``."""
    name, conv = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    if conv.in_channels == channels:
        return
    made = deepcopy(conv)
    made.in_channels = channels
    made.weight = nn.Parameter(conv.weight.new_empty(len(conv.weight), channels, *conv.kernel_size))
    made.reset_parameters()
    network.set_submodule(name, made)
