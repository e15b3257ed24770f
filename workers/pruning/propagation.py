"""Sets to zero what pruning has left without effect (the code of Lost in Pruning, 2021).

Both rules look at a network in evaluation mode on the samples, forward and backward. They need not
look at all of them: once something has had an effect it stays, so the samples are gone through only
until everything has.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from workers.contracts import Samples
from workers.loss import loss
from workers.pruning.passes import Layer, observing
from workers.pruning.prunable import prunable_weights


def propagate_weights(network: nn.Module, samples: Samples) -> None:
    """Set every parameter to 0 whose gradient is exactly 0 on all samples.

    Biases and normalisation are included, embeddings and what the loss cannot depend on are not. In
    place.
    """
    if not samples:
        return
    parameters = [p for module in network.modules() for p in _own(module)]
    effective = [p.detach() == 0 for p in parameters]
    for images, labels in samples:
        doubted = [index for index, seen in enumerate(effective) if not bool(seen.all())]
        if not doubted:
            return
        gradients = torch.autograd.grad(
            loss(network(images), labels),
            [parameters[index] for index in doubted],
            allow_unused=True,
        )
        for index, gradient in zip(doubted, gradients, strict=True):
            seen = effective[index]
            seen |= torch.ones_like(seen) if gradient is None else gradient != 0
    _keep(parameters, effective)


def propagate_filters(network: nn.Module, samples: Samples) -> None:
    """Set filters to 0 whose gradient is 0, and the weights of channels that are constant.

    A channel is constant if, at every position, it is the same for all images of a batch; what the
    constant contributed is dropped. Layers without a part in the loss are left alone. In place.
    """
    weights = prunable_weights(network)
    used: dict[str, Tensor] = {}
    effective: dict[str, Tensor] = {}
    varying: dict[str, Tensor] = {}

    def look(name: str, layer: Layer, inputs: Tensor) -> None:
        varying[name] = varying.get(name, False) | _varying(layer, inputs)

    with observing(network, look):
        for images, labels in samples:
            gradients = torch.autograd.grad(
                loss(network(images), labels), list(weights.values()), allow_unused=True
            )
            for name, gradient in zip(weights, gradients, strict=True):
                if gradient is not None:
                    used[name] = used.get(name, False) | (gradient != 0).flatten(1).any(1)
            effective = {
                name: _pairs(weights[name], used[name], varying[name])
                for name in used.keys() & varying.keys()
            }
            if all(bool((weights[n].detach() == 0)[~e].all()) for n, e in effective.items()):
                return
    _keep([weights[name] for name in effective], list(effective.values()))


def _varying(layer: Layer, inputs: Tensor) -> Tensor:
    """Tell which input channels of ``layer`` differ among the images of a batch."""
    differs = (inputs != inputs[:1]).any(0)
    # Channels come first in the input of a convolution, last in that of a linear layer.
    linear = isinstance(layer, nn.Linear)
    rows = differs.reshape(-1, differs.shape[-1]).mT if linear else differs.flatten(1)
    return rows.any(1)


def _pairs(weight: Tensor, used: Tensor, varying: Tensor) -> Tensor:
    """Pairs of filter and channel in which both have an effect, of the shape of the weight."""
    pairs = used[:, None] & varying
    return pairs.view(*pairs.shape, *[1] * (weight.dim() - 2)).expand_as(weight)


def _own(module: nn.Module) -> Iterator[nn.Parameter]:
    if not isinstance(module, nn.Embedding):
        yield from (p for p in module.parameters(recurse=False) if p.requires_grad)


@torch.no_grad()
def _keep(parameters: list[nn.Parameter], effective: list[Tensor]) -> None:
    for parameter, seen in zip(parameters, effective, strict=True):
        parameter.mul_(seen)
