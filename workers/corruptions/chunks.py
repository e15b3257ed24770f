"""Work on a few images at a time, where caches make that faster."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

VALUES = 1 << 17
"""Values of the images of a chunk, few enough that what is made of them stays in a core's cache."""


def in_chunks(function: Callable[..., Tensor], first: Tensor, *others: Tensor) -> Tensor:
    """Apply a function that treats every image on its own, on the CPU to a few at a time.

    Args:
        function: takes as many batches as follow, each of the same images; returns a new batch.
        first: (n, …), of the shape and type of what the function returns.
        others: (n, …) each.

    Returns:
        What ``function`` makes of all images at once.

    """
    if len(first) <= (length := chunk_length(first)):
        return function(first, *others)
    made = torch.empty(first.shape, dtype=first.dtype)
    batches = (torch.split(batch, length) for batch in (made, first, *others))
    for chunk, *parts in zip(*batches, strict=True):
        chunk.copy_(function(*parts))
    return made


def chunk_length(images: Tensor) -> int:
    """Count the images of a chunk, all of them on another device than the CPU."""
    if images.device.type != "cpu":
        return len(images)
    return max(1, VALUES * len(images) // max(1, images.numel()))
