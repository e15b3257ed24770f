"""How convolutions start."""

from __future__ import annotations

from torch import nn


def initialise_convolutions(network: nn.Module) -> None:
    """Draw every convolution from N(0, √(2 / (k² · outputs))), in place, in ``modules()`` order.

    He et al., "Delving deep into rectifiers" (2015), section 2.2, by the fan out.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
