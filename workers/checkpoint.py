"""Networks to and from bytes: safetensors plus a description, so that nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load, save

from workers.contracts import Component, Model
from workers.registry import MODELS

WEIGHTS = "weights.safetensors"


def architecture(model: Component, *, channels: int, classes: int) -> dict[str, Any]:
    """Describe how an untrained network of the same shape is made again, in JSON types."""
    return {
        "model": {"name": model.name, "options": dict(model.options)},
        "channels": channels,
        "classes": classes,
    }


def build(made_as: Mapping[str, Any]) -> torch.nn.Module:
    """Make the untrained network that ``architecture`` describes."""
    model: Model = MODELS.create(Component(**made_as["model"]))
    return model.build(channels=made_as["channels"], classes=made_as["classes"])


def dump(network: torch.nn.Module) -> bytes:
    """Write parameters and buffers, on the CPU, as safetensors."""
    state = {name: portable(tensor) for name, tensor in network.state_dict().items()}
    return bytes(save(state))


def portable(tensor: torch.Tensor) -> torch.Tensor:
    """Copy a tensor to the CPU, contiguous: what safetensors takes, also of tied weights."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def restore(made_as: Mapping[str, Any], weights: bytes) -> torch.nn.Module:
    """Rebuild a stored network from its description and its weights.

    Raises:
        RuntimeError: the weights do not fit the architecture (a changed model without a new
        version).

    """
    network = build(made_as)
    network.load_state_dict(load(weights))
    return network
