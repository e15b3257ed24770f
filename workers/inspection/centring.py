"""Centred activations, in which neurons that never change are exactly 0."""

from __future__ import annotations

import torch
from torch import Tensor

CONSTANT = 1e-6
"""Deviations up to this share of the mean are rounding: float32 resolves 1.2e-7."""


def centred(rows: Tensor) -> Tensor:
    """Subtract the mean of every neuron, in float64.

    Args:
        rows: (rows, neurons).

    Returns:
        The same shape; columns of neurons that are constant, as pruned ones, are 0.

    """
    mean = rows.double().mean(0)
    deviations = rows.double() - mean
    varies = deviations.square().mean(0).sqrt() > CONSTANT * mean.abs()
    return torch.where(varies, deviations, 0.0)
