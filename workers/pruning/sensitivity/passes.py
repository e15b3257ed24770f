"""Shows what goes into the layers of a network while samples pass through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from workers.modes import evaluating
from workers.pruning.prunable import prunable_weights
from workers.pruning.sensitivity.layers import Layer

IMAGES = 64
"""Images that pass through the network at a time: bounds the memory, and more are not faster."""


def prunable_layers(network: nn.Module) -> list[tuple[str, Layer]]:
    """List the layers of prunable weights, with the weight's name; a shared weight has several."""
    names = {id(weight): name for name, weight in prunable_weights(network).items()}
    layers = (m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    return [(names[id(m.weight)], m) for m in layers if id(m.weight) in names]


@torch.no_grad()
def observe_inputs(
    network: nn.Module, images: Iterable[Tensor], observe: Callable[[str, Layer, Tensor], None]
) -> None:
    """Run ``images`` through ``network`` in evaluation mode, and leave it as it was.

    Args:
        network: modes and hooks are restored, also after an error.
        images: normalised batches (n, channels, height, width).
        observe: called with each prunable weight's name, its layer and the layer's inputs, at
            every call of the layer, before anything can change the inputs.

    """

    def hook(name: str) -> Callable[..., None]:
        def before(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            observe(name, layer, args[0] if args else kwargs["input"])

        return before

    handles = [
        layer.register_forward_pre_hook(hook(name), with_kwargs=True)
        for name, layer in prunable_layers(network)
    ]
    try:
        with evaluating(network):
            for batch in images:
                for few in torch.split(batch, IMAGES):
                    network(_channels_last(few))
    finally:
        for handle in handles:
            handle.remove()


def _channels_last(images: Tensor) -> Tensor:
    """Lay images out as patches are cut from them, and as convolutions are faster."""
    return images.contiguous(memory_format=torch.channels_last) if images.dim() == 4 else images
