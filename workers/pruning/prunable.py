"""What can be pruned, and how a network's size is counted."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Counts:
    """Size of a network in scalars, shared parameters counted once.

    Attributes:
        parameters: entries of all parameters, biases and normalisation included.
        nonzero: how many of them differ from 0.
        prunable: entries of the prunable weights.

    """

    parameters: int
    nonzero: int
    prunable: int


def prunable_weights(network: nn.Module) -> dict[str, nn.Parameter]:
    """Find every ungrouped convolution and linear weight, by name, in ``modules()`` order.

    None is exempt by its name or place (Lost in Pruning, MLSys 2021, and its code), but a frozen
    weight, which no gradient is asked for, is. A weight that several layers share appears once,
    under its first name.
    """
    named = dict(network.named_parameters())
    layers = ((f"{name}.weight".lstrip("."), m) for name, m in network.named_modules())
    return {name: named[name] for name, m in layers if _is_prunable(m) and name in named}


def count(network: nn.Module) -> Counts:
    """Count the parameters of ``network``."""
    return Counts(
        parameters=sum(p.numel() for p in network.parameters()),
        nonzero=sum(int(p.count_nonzero()) for p in network.parameters()),
        prunable=sum(w.numel() for w in prunable_weights(network).values()),
    )


def masks_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """Read the masks off a network: 0 where a prunable weight is 0, else 1, in its dtype.

    The bias of a prunable layer is masked where it is 0 with all weights of its filter, as
    propagation leaves a filter without effect; a bias that merely began at 0 may still be learnt.
    """
    named = dict(network.named_parameters())
    masks = {}
    for name, weight in prunable_weights(network).items():
        masks[name] = (weight.detach() != 0).to(weight.dtype)
        bias = named.get(f"{name.removesuffix('weight')}bias")
        if bias is not None:
            alive = (bias.detach() != 0) | masks[name].flatten(1).any(1)
            masks[f"{name.removesuffix('weight')}bias"] = alive.to(bias.dtype)
    return masks


def _is_prunable(module: nn.Module) -> bool:
    layer = isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.groups == 1)
    return layer and bool(module.weight.requires_grad)
