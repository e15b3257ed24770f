"""The balls around images that attacks stay in, and the steepest way towards their edge."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Norm = Literal["linf", "l2"]


def steepest(gradient: Tensor, norm: Norm) -> Tensor:
    """Return the step of norm 1 along which a linear function grows most, image by image.

    That is sign(g) in l∞ and g / ‖g‖₂ in l2; a gradient of 0 gives no step.

    Args:
        gradient: (n, channels, height, width).
        norm: of the step.

    """
    if norm == "linf":
        return gradient.sign()
    return gradient / length(gradient).clamp_min(torch.finfo(gradient.dtype).tiny)


def nearest(pixels: Tensor, clean: Tensor, norm: Norm, epsilon: float) -> Tensor:
    """Project ``pixels`` onto the ball around ``clean``, then onto [0, 1].

    The second projection never leaves the ball, because ``clean`` is in [0, 1].
    """
    change = pixels - clean
    if norm == "linf":
        change = change.clamp(-epsilon, epsilon)
    else:
        smallest = torch.finfo(change.dtype).tiny
        change = change * (epsilon / length(change).clamp_min(smallest)).clamp_max(1)
    return (clean + change).clamp(0, 1)


def random_point(clean: Tensor, norm: Norm, epsilon: float, generator: torch.Generator) -> Tensor:
    """Draw uniformly from the ball around each image, and clip to [0, 1].

    Args:
        clean: (n, channels, height, width), on any device.
        norm: of the ball.
        epsilon: its radius.
        generator: on the CPU, so that all devices start at the same point.

    """
    shape, dimensions = clean.shape, clean[0].numel()
    if norm == "linf":
        unit = 2 * torch.rand(shape, generator=generator) - 1
    else:
        direction = torch.randn(shape, generator=generator)
        radius = torch.rand(len(clean), generator=generator) ** (1 / dimensions)
        unit = steepest(direction, norm) * radius[:, None, None, None]
    return (clean + epsilon * unit.to(clean.device)).clamp(0, 1)


def length(change: Tensor) -> Tensor:
    """Return the l2 norm of each image, of shape (n, 1, 1, 1)."""
    norms: Tensor = torch.linalg.vector_norm(change, dim=(1, 2, 3), keepdim=True)
    return norms


def size(change: Tensor, norm: Norm) -> Tensor:
    """Return the norm of each image, of shape (n,).

    Args:
        change: (n, channels, height, width).
        norm: which.

    """
    return length(change)[:, 0, 0, 0] if norm == "l2" else change.abs().amax((1, 2, 3))
