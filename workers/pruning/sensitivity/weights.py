"""Sensitivity of weights, the score of SiPP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from workers.pruning.passes import Layer, observe_inputs, prunable_layers
from workers.pruning.sensitivity.layers import (
    blocks,
    by_sign,
    from_rows,
    normalisers,
    some_filters,
    to_rows,
)

POSITIONS, PRODUCTS = 64, 2**17
"""How many positions, and products in all, are compared at a time; the fastest that was found."""


def weight_sensitivity(
    network: nn.Module, images: Iterable[Tensor], *, over_positions: Literal["mean", "max"]
) -> dict[str, Tensor]:
    """Find each prunable weight's largest share over the samples.

    s[o, c, k] = max over x of the mean (SiPP), or the maximum (its randomised variants), over p of
    g(o, c, k, p; x). How the images are batched does not matter.

    Args:
        network: left as it is.
        images: normalised batches (n, channels, height, width), on the device of the network.
        over_positions: how a sample's positions are joined.

    Returns:
        By parameter name a float32 tensor in the shape of the weight, in [0, 1]. Weights that are 0
        or that no sample reaches have 0.

    """
    shares = {"mean": _mean, "max": _largest}[over_positions]
    layers = dict(prunable_layers(network))
    found = {name: torch.zeros_like(to_rows(layer)) for name, layer in layers.items()}

    def observe(name: str, layer: Layer, inputs: Tensor) -> None:
        slices = some_filters(to_rows(layer)), some_filters(found[name])
        for rows, best in zip(*slices, strict=True):
            signed = by_sign(rows)
            for parts in blocks(layer, inputs, signed):
                positive, negative = shares(parts, signed).mul_(signed).chunk(2, dim=1)
                torch.maximum(best, positive.add_(negative), out=best)

    observe_inputs(network, images, observe)
    return {name: from_rows(layer, found[name]) for name, layer in layers.items()}


def _mean(parts: Iterator[Tensor], signed: Tensor) -> Tensor:
    """max over images of mean over positions of a / z, (groups, filters, terms).

    It is what the gradient of each image's weights would be if the outputs' were 1 / z.
    """
    total, positions = torch.zeros(()), 0
    for part in parts:
        inverse = normalisers(part, signed).reciprocal_().flatten(0, 1)
        sums = torch.bmm(inverse.mT, part.flatten(0, 1))
        total = total.add_(sums) if positions else sums
        positions += part.shape[2]
    return total.view(len(signed), -1, *signed.shape[1:]).amax(1).div_(positions)


def _largest(parts: Iterator[Tensor], signed: Tensor) -> Tensor:
    """max over images and positions of a / z, (groups, filters, terms)."""
    best = torch.zeros_like(signed)
    filters = max(1, PRODUCTS // (POSITIONS * signed.shape[0] * signed.shape[2]))
    for part in parts:
        inverse = normalisers(part, signed).reciprocal_().flatten(1, 2)
        positions = torch.split(part.flatten(1, 2), POSITIONS, dim=1)
        for patches, factors in zip(positions, torch.split(inverse, POSITIONS, dim=1), strict=True):
            rows = torch.split(best, filters, dim=1)
            for row, factor in zip(rows, torch.split(factors, filters, dim=2), strict=True):
                products = patches[:, :, None] * factor[..., None]
                torch.maximum(row, products.amax(1), out=row)
    return best
