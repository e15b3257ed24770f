"""What every input channel contributes to a few random outputs of its layer (ThiNet)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from workers.contracts import Samples
from workers.pruning.passes import Layer, observe_inputs
from workers.pruning.sensitivity.layers import to_rows, windows


def contributions(
    network: nn.Module, samples: Samples, features: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """Split ``features`` random outputs (image, filter, position) of every layer by input channel.

    Returns:
        By weight name, float64 of shape (features, channels); a row sums to the output without
        its bias. Absent are layers that are never called.

    """
    sizes = [len(labels) for _, labels in samples]
    drawn = torch.randint(sum(sizes), (features,), generator=generator)
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    found: dict[str, list[Tensor]] = {}

    def look(name: str, layer: Layer, inputs: Tensor) -> None:
        parts = _of_random_outputs(layer, inputs, again)
        found.setdefault(name, []).append(parts.double())

    first = 0
    for size, (images, _) in zip(sizes, samples, strict=True):
        chosen = drawn[(drawn >= first) & (drawn < first + size)] - first
        again = torch.Generator().manual_seed(seed + first)
        if len(chosen):
            observe_inputs(network, [images[chosen.to(images.device)]], look)
        first += size
    return {name: torch.cat(parts) for name, parts in found.items()}


def greedy_order(contribution: Tensor) -> Tensor:
    """Remove channels, √channels at a time, that keep the squared sum of the removed least.

    Args:
        contribution: (features, channels).

    Returns:
        (channels,): the place at which a channel goes, from 1; 0 if it contributes nothing.

    """
    channels = contribution.shape[1]
    place = torch.zeros(channels, dtype=contribution.dtype, device=contribution.device)
    left = contribution.ne(0).any(0)
    removed = contribution.new_zeros(contribution.shape[0])
    at_once = math.ceil(math.sqrt(channels))
    done = 0
    while bool(left.any()):
        error = (removed[:, None] + contribution).square().sum(0).masked_fill(~left, torch.inf)
        chosen = error.argsort(stable=True)[: min(at_once, int(left.sum()))]
        place[chosen] = torch.arange(
            done + 1, done + 1 + len(chosen), dtype=place.dtype, device=place.device
        )
        removed = removed + contribution[:, chosen].sum(1)
        left[chosen] = False
        done += len(chosen)
    return place


def _of_random_outputs(layer: Layer, inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Split one random output (position, filter) of every image by channel, (images, channels)."""

    def pick(limit: int) -> Tensor:
        return torch.randint(limit, (count,), generator=generator).to(inputs.device)

    view = windows(layer, inputs)[0]
    count, rows, columns = view.shape[:3]
    image = torch.arange(count, device=inputs.device)
    patches = view[image, pick(rows), pick(columns)].flatten(1)
    products = patches * to_rows(layer)[0, pick(len(layer.weight))]
    return products.view(count, -1, view.shape[-1]).sum(1)
