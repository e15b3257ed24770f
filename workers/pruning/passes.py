"""Shows what goes into the prunable layers of a network while samples pass through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from workers.modes import evaluating
from workers.pruning.prunable import prunable_weights

Layer = nn.Conv2d | nn.Linear
Observe = Callable[[str, Layer, Tensor], None]

IMAGES = 64
"""Images that pass through the network at a time: bounds the memory, and more are not faster."""


def prunable_layers(network: nn.Module) -> list[tuple[str, Layer]]:
    """List the layers of prunable weights, with the weight's name; a shared weight has several."""
    names = {id(weight): name for name, weight in prunable_weights(network).items()}
    layers = (m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    return [(names[id(m.weight)], m) for m in layers if id(m.weight) in names]


@contextmanager
def observing(network: nn.Module, observe: Observe) -> Iterator[None]:
    """Call ``observe`` with a weight's name, its layer and the inputs of every call of the layer.

    It is called before anything can change the inputs. Hooks are removed also after an error.
    Layers that compute in a way of their own, as by padding in ``forward``, are not looked into.
    """

    def hook(name: str) -> Callable[..., None]:
        def before(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            observe(name, layer, args[0] if args else kwargs["input"])

        return before

    handles = [
        layer.register_forward_pre_hook(hook(name), with_kwargs=True)
        for name, layer in prunable_layers(network)
        if type(layer).forward in (nn.Conv2d.forward, nn.Linear.forward)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def observe_inputs(network: nn.Module, images: Iterable[Tensor], observe: Observe) -> None:
    """Run ``images`` through ``network`` in evaluation mode, and leave it as it was.

    Args:
        network: modes and hooks are restored, also after an error.
        images: normalised batches (n, channels, height, width).
        observe: as in ``observing``.

    """
    with evaluating(network), observing(network, observe):
        for batch in images:
            for few in torch.split(batch, IMAGES):
                network(_channels_last(few))


def _channels_last(images: Tensor) -> Tensor:
    """Lay images out as patches are cut from them, and as convolutions are faster."""
    return images.contiguous(memory_format=torch.channels_last) if images.dim() == 4 else images
