"""The layer that sees the image."""

from __future__ import annotations

from torch import nn


def take_channels(network: nn.Module, channels: int) -> None:
    """Make the first convolution of ``network`` anew, in place, if it takes other ``channels``."""
    name, conv = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    if conv.in_channels == channels:
        return
    made = nn.Conv2d(
        channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
        bias=conv.bias is not None,
    )
    network.set_submodule(name, made)
