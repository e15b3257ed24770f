"""How a network maps small changes of an image to changes of its logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.modes import evaluating
from workers.pruning.passes import IMAGES

ENTRIES = 2**25
"""Entries of the Jacobians that are held at a time, 128 MiB in float32."""


def jacobians(network: nn.Module, images: Tensor, logits: Tensor) -> Tensor:
    """Differentiate some logits by the image, one backward pass of the batch for each.

    Args:
        network: in evaluation mode, so that no image has a part in the logits of another.
        images: normalised, (n, channels, height, width).
        logits: which ones, integers of shape (outputs,).

    Returns:
        (n, outputs, channels · height · width).

    """
    points = images.detach().requires_grad_()
    with torch.enable_grad():
        sums = network(points)[:, logits].sum(0)
    rows = [torch.autograd.grad(one, points, retain_graph=True)[0] for one in sums]
    return torch.stack(rows, dim=1).flatten(2)


def jacobian_singular_values(network: nn.Module, images: Tensor, logits: Tensor) -> Tensor:
    """Decompose the Jacobian of every image, in evaluation mode and with float64 at the end.

    Arguments as for ``jacobians``; the network is left as it was.

    Returns:
        Largest first, (n, outputs), or (n, pixels · channels) if these are fewer.

    """
    batch = max(1, min(IMAGES, ENTRIES // (len(logits) * images[0].numel())))
    with evaluating(network):
        return torch.cat(
            [
                torch.linalg.svdvals(jacobians(network, few, logits).double())
                for few in torch.split(images, batch)
            ]
        )
