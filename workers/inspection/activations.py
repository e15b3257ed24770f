"""What the layers of a network put out for images, as rows of neurons.

A channel of a convolution is a neuron, and every position of every image is an example of it
(SVCCA, Raghu et al., 2017). So is a feature of a linear layer, with its tokens as positions.
Neighbouring positions tell nearly the same, so that only some are taken, spread evenly from a
random start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from workers.modes import evaluating
from workers.pruning.passes import IMAGES, Layer, prunable_layers

ROWS_PER_NEURON = 10
"""Rows of a layer for each of its neurons, if the images have so many positions."""


@torch.no_grad()
def sample_activations(network: nn.Module, images: Tensor, seed: int) -> dict[str, Tensor]:
    """Sample what the prunable layers of ``network`` put out, before normalisation and activation.

    Every image gives at least one row, so that rows are as independent as can be. Calls of a layer,
    and layers that share a weight, count as further positions.

    Args:
        network: evaluated, and left as it was, modes and hooks included.
        images: normalised, (n, channels, height, width).
        seed: decides the positions; networks of one architecture get the same ones.

    Returns:
        By the layer's name, in the order of the calls, (rows, neurons) in the network's dtype; row
        by row the same image and position for all networks. Layers never called are absent.

    """
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, list[Tensor]] = {}

    def sample(name: str, layer: Layer, output: Tensor) -> None:
        positions = _by_position(layer, output)
        wanted = -(-ROWS_PER_NEURON * positions.shape[2] // len(images))
        found.setdefault(name, []).append(_some(positions, wanted, generator))

    with evaluating(network), _observing_outputs(network, sample):
        for batch in torch.split(images, IMAGES):
            network(batch)
    return {name: torch.cat(parts) for name, parts in found.items()}


@contextmanager
def _observing_outputs(
    network: nn.Module, observe: Callable[[str, Layer, Tensor], None]
) -> Iterator[None]:
    def hook(name: str) -> Callable[..., None]:
        def after(layer: Layer, args: tuple[Any, ...], output: Tensor) -> None:
            observe(name, layer, output)

        return after

    handles = [
        layer.register_forward_hook(hook(weight.removesuffix(".weight")))
        for weight, layer in prunable_layers(network)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _by_position(layer: Layer, output: Tensor) -> Tensor:
    """View an output as (images, positions, neurons)."""
    if isinstance(layer, nn.Linear):
        return output.reshape(len(output), -1, output.shape[-1])
    return output.flatten(2).mT


def _some(positions: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
    """Take ``wanted`` positions of each image, or all, from (images, positions, neurons)."""
    count, available, neurons = positions.shape
    wanted = min(wanted, available)
    start = torch.randint(available, (count, 1), generator=generator)
    chosen = (start + torch.arange(wanted) * (available // wanted)) % available
    images = torch.arange(count)[:, None]
    return positions[images.to(positions.device), chosen.to(positions.device)].reshape(-1, neurons)
