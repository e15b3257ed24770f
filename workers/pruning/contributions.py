"""What every input channel contributes to a few random outputs of its layer (ThiNet)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.contracts import Samples
from workers.pruning.prunable import prunable_weights


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
    first = 0
    for size, (images, _) in zip(sizes, samples, strict=True):
        chosen = drawn[(drawn >= first) & (drawn < first + size)] - first
        again = torch.Generator().manual_seed(seed + first)
        if len(chosen):
            with _watching(network, again, found), torch.no_grad():
                network(images[chosen.to(images.device)])
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


@contextmanager
def _watching(
    network: nn.Module, generator: torch.Generator, found: dict[str, list[Tensor]]
) -> Iterator[None]:
    """Collect the contributions to a random output for every image that is passed."""
    names = {id(weight): name for name, weight in prunable_weights(network).items()}

    def look(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        split = _of_linear if isinstance(layer, nn.Linear) else _of_convolution
        parts = split(layer, inputs[0], output, _picker(len(output), generator))
        found.setdefault(names[id(layer.weight)], []).append(parts.double())

    hooks = [
        module.register_forward_hook(look)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and id(module.weight) in names
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


Pick = Callable[[int, Tensor], Tensor]


def _picker(count: int, generator: torch.Generator) -> Pick:
    return lambda limit, like: torch.randint(limit, (count,), generator=generator).to(like.device)


def _of_linear(layer: nn.Module, given: Tensor, output: Tensor, pick: Pick) -> Tensor:
    """Contributions to one output each, (n, features) or (n, positions, features) given."""
    weight: Tensor = layer.weight  # type: ignore[assignment]
    rows = given.flatten(1, -2) if given.dim() > 2 else given[:, None]
    position = pick(rows.shape[1], given)
    return (
        rows[torch.arange(len(rows), device=given.device), position]
        * weight[pick(len(weight), given)]
    )


def _of_convolution(layer: nn.Module, given: Tensor, output: Tensor, pick: Pick) -> Tensor:
    """Contributions to one output each, (n, channels, height, width) given, at any stride."""
    assert isinstance(layer, nn.Conv2d)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = F.pad(given, layer._reversed_padding_repeated_twice, mode=mode)
    rows, columns = (
        pick(limit, given)[:, None] * step + spacing * torch.arange(taps, device=given.device)
        for limit, step, spacing, taps in zip(
            output.shape[2:], layer.stride, layer.dilation, layer.kernel_size, strict=True
        )
    )
    image = torch.arange(len(given), device=given.device)[:, None, None]
    patches = padded.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]
    chosen = layer.weight[pick(layer.out_channels, given)]
    return (patches * chosen.permute(0, 2, 3, 1)).sum((1, 2))
