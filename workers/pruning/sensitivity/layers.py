"""A layer as the product of patches and weights, both split by sign and nonnegative.

Patches are laid out as (groups, images, positions, terms) and weights as (groups, filters, terms),
where the terms are kernel positions × channels of the group, channels innermost. A linear layer has
one group and one kernel position; its positions are the dimensions between the first and the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.pruning.passes import Layer

EPSILON = torch.finfo(torch.float32).eps
"""Normalisers up to here count as 0, and so do the shares of what they sum."""

BLOCK = 2**20
"""Entries of a block of patches, 4 MiB: larger ones leave the cache, smaller ones cost calls."""

WIDEST = 2**23
"""Entries of the weights that are worked on at a time, 32 MiB; few layers have more."""


def to_rows(layer: Layer) -> Tensor:
    """Lay the weight out as (groups, filters of a group, terms), float32."""
    weight = layer.weight.detach().float()
    if weight.dim() == 4:
        weight = weight.permute(0, 2, 3, 1)
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    return weight.reshape(groups, len(weight) // groups, -1)


def from_rows(layer: Layer, rows: Tensor) -> Tensor:
    """Undo ``to_rows``: return to the shape of the weight."""
    if isinstance(layer, nn.Linear):
        return rows.reshape(layer.weight.shape)
    filters, channels, height, width = layer.weight.shape
    return rows.reshape(filters, height, width, channels).permute(0, 3, 1, 2).contiguous()


def some_filters(rows: Tensor) -> tuple[Tensor, ...]:
    """Split (groups, filters, terms) along the filters, so that ``WIDEST`` bounds the parts."""
    return torch.split(rows, max(1, WIDEST // (rows.shape[0] * rows.shape[2])), dim=1)


def by_sign(rows: Tensor) -> Tensor:
    """Double the filters: the positive parts of their weights, then the negated negative ones."""
    return torch.cat([rows.clamp(min=0), rows.neg().clamp(min=0)], dim=1)


def normalisers(patches: Tensor, signed: Tensor) -> Tensor:
    """Sum what each filter sums, (groups, images, positions, filters); infinite where ≤ eps.

    What is divided by infinity is the 0 that the definition wants. A floating-point sum of
    nonnegative terms is at least as large as each of them, so no share exceeds 1.
    """
    sums = torch.bmm(patches.flatten(1, 2), signed.mT)
    return torch.threshold_(sums, EPSILON, torch.inf).view(*patches.shape[:3], -1)


def blocks(layer: Layer, inputs: Tensor, signed: Tensor) -> Iterator[Iterator[Tensor]]:
    """Cut inputs into blocks of images, and these into patches at some of the positions each.

    Args:
        layer: whose inputs these are.
        inputs: (images, channels, height, width), or (images, ..., features) of a linear layer.
        signed: the rows that will meet the patches; they decide how many fit into a block.

    Yields:
        Nonnegative patches of one block of images, one tensor for each block of positions.

    """
    inputs = inputs if inputs.dim() > 1 else inputs[None]
    groups, _, rows, columns, *patch = windows(layer, inputs[:1]).shape
    terms = prod(patch)
    per_row = columns * groups * max(terms, signed.shape[1])
    per_image = max(rows * per_row, signed.numel())
    for images in torch.split(inputs, max(1, BLOCK // per_image)):
        for point in _points(images.float()):
            rows_each = max(1, BLOCK // (per_row * len(point)))
            parts = torch.split(windows(layer, point), rows_each, dim=2)
            yield (part.reshape(groups, part.shape[1], -1, terms) for part in parts)


def _points(inputs: Tensor) -> list[Tensor]:
    """Split inputs by sign: as they are, or relu(a) and relu(−a) if any is negative.

    For several images at once this is the same as one by one: the second point of an image without
    negative inputs is 0 everywhere, and has no shares.
    """
    if bool(inputs.amin() >= 0):
        return [inputs]
    return [inputs.clamp(min=0), inputs.neg().clamp(min=0)]


def windows(layer: Layer, inputs: Tensor) -> Tensor:
    """View inputs as (groups, images, rows, columns, *kernel, channels), without copying them."""
    if isinstance(layer, nn.Linear):
        return inputs.reshape(1, len(inputs), -1, 1, layer.in_features)
    padded = _padded(layer, inputs)
    spans = [d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
    moves = zip(padded.shape[2:], spans, layer.stride, strict=True)
    positions = [(size - 1 - span) // step + 1 for size, span, step in moves]
    channels = layer.in_channels // layer.groups
    image, channel, row, column = padded.stride()
    (down, right), (y, x) = layer.stride, layer.dilation
    return padded.as_strided(
        (layer.groups, len(padded), *positions, *layer.kernel_size, channels),
        (channels * channel, image, row * down, column * right, row * y, column * x, channel),
    )


def _padded(layer: nn.Conv2d, inputs: Tensor) -> Tensor:
    """Pad as the layer does before it convolves."""
    sides = []
    for axis in (1, 0):
        if isinstance(layer.padding, str):
            total = layer.dilation[axis] * (layer.kernel_size[axis] - 1)
            total *= layer.padding == "same"
            sides += [total // 2, total - total // 2]
        else:
            sides += [layer.padding[axis]] * 2
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    return F.pad(inputs, sides, mode) if any(sides) else inputs
