"""Sensitivity of input channels, the score of PFP.

Only the largest share of a channel is wanted, over all filters, kernel and output positions, so
most shares need not be computed: an upper bound on those of a filter at a position says that none
is larger than what was found already. Bounds only skip, they do not change the result.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from workers.pruning.passes import Layer, observe_inputs, prunable_layers
from workers.pruning.sensitivity.layers import (
    blocks,
    by_sign,
    normalisers,
    some_filters,
    to_rows,
)

STRIDES = (256, 16, 1)
"""One in so many candidates is looked at first, while there is nothing to compare them with."""

PAIRS = 2**17
"""Pairs of a candidate and a channel that are looked at at a time."""

SMALLEST = 1e-30
"""Stands for 0 where something is divided by it."""


def channel_sensitivity(network: nn.Module, images: Iterable[Tensor]) -> dict[str, Tensor]:
    """Find each input channel's largest share over the samples in the layers of prunable weights.

    s[c] = max over x, o, k, p of g(o, c, k, p; x). How the images are batched does not matter.

    Args:
        network: left as it is.
        images: normalised batches (n, channels, height, width), on the device of the network.

    Returns:
        By parameter name a float32 tensor of shape (input channels,), in [0, 1]; input features of
        linear layers. Channels that are always 0 have 0.

    """
    layers = dict(prunable_layers(network))
    found = {name: _no_shares(layer) for name, layer in layers.items()}

    def observe(name: str, layer: Layer, inputs: Tensor) -> None:
        for rows in some_filters(to_rows(layer)):
            signed = by_sign(rows)
            for parts in blocks(layer, inputs, signed):
                for patches in parts:
                    _raise(found[name], patches, signed)

    observe_inputs(network, images, observe)
    return {name: shares.flatten() for name, shares in found.items()}


def _no_shares(layer: Layer) -> Tensor:
    """Zeros of shape (groups, channels of a group)."""
    return to_rows(layer).new_zeros(len(to_rows(layer)), layer.weight.shape[1])


def _raise(best: Tensor, patches: Tensor, signed: Tensor) -> None:
    """Raise ``best``, (groups, channels), to the largest shares in ``patches``."""
    channels = best.shape[1]
    sums = normalisers(patches, signed).flatten(1, 2)
    kernel = signed.shape[2] // channels
    inputs = patches.reshape(len(best), -1, kernel, channels)
    weights = signed.view(len(best), -1, kernel, channels)
    # The strongest of the kernel positions bounds a channel's share from above.
    inputs_of_channel, weights_of_channel = inputs.amax(2), weights.amax(2)
    for stride in (1,) if bool(best.all()) else STRIDES:
        candidates = _candidates(best, inputs_of_channel, weights_of_channel, sums)[::stride]
        for some in torch.split(candidates, max(1, PAIRS // channels)):
            group, patch, filter_ = some.T
            bounds = weights_of_channel[group, filter_] * inputs_of_channel[group, patch]
            bounds /= sums[group, patch, filter_, None]
            which, channel = (bounds > _to_beat(best)[group]).nonzero().T
            group, patch, filter_ = group[which], patch[which], filter_[which]
            products = weights[group, filter_, :, channel] * inputs[group, patch, :, channel]
            shares = products.amax(1) / sums[group, patch, filter_]
            best.view(-1).scatter_reduce_(0, group * channels + channel, shares, "amax")


def _to_beat(best: Tensor) -> Tensor:
    """What a share must exceed to matter: no share exceeds 1."""
    return best.where(best < 1, torch.inf)


def _candidates(best: Tensor, inputs: Tensor, weights: Tensor, sums: Tensor) -> Tensor:
    """Find filters and patches that may have a larger share than ``best`` in some channel.

    max over c of w a / best is at most its 8-norm over c, which is a matrix product of 8th powers.
    These are scaled to [0, 1]; what underflows is less than the floor that the sum is given.

    Args:
        best: (groups, channels).
        inputs: (groups, patches, channels).
        weights: (groups, filters, channels).
        sums: (groups, patches, filters), the normalisers.

    Returns:
        (candidates, 3): group, patch, filter.

    """
    relative = inputs / _to_beat(best).clamp(min=SMALLEST)[:, None]
    strongest = relative.amax(2, keepdim=True).clamp_(min=SMALLEST)
    heaviest = weights.amax(2, keepdim=True).clamp(min=SMALLEST)
    powers = torch.bmm(_eighth_power(relative / strongest), _eighth_power(weights / heaviest).mT)
    norm = powers.clamp_(min=SMALLEST).sqrt_().sqrt_().sqrt_()
    rounding = 1.001
    excluded = norm.mul_(strongest * rounding).mul_(heaviest.mT) <= sums
    return excluded.logical_not_().nonzero()


def _eighth_power(x: Tensor) -> Tensor:
    return x.square().square_().square_()
