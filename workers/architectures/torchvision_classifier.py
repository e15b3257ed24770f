"""Any classifier of torchvision, for other classes or channels than its weights were made for."""

from __future__ import annotations

from typing import Any

import torchvision
from torch import Tensor, nn

from workers.architectures.first_convolution import take_channels
from workers.architectures.published import expect_name, load_fitting


def torchvision_classifier(name: str, *, channels: int, classes: int) -> nn.Module:
    """Build torchvision's classifier ``name`` with fresh weights.

    Args:
        name: as in ``torchvision.models.list_models``.
        channels: input channels; other than 3, the first convolution is made anew.
        classes: outputs.

    Raises:
        UnknownNameError: torchvision has no such classifier.

    """
    known = torchvision.models.list_models(module=torchvision.models)
    expect_name(name, known, "torchvision classifier")
    network: nn.Module = torchvision.models.get_model(name, num_classes=classes, **_single(name))
    take_channels(network, channels)
    return network


def load_published(network: nn.Module, name: str, weights: str, *, prefix: str = "") -> None:
    """Load what torchvision publishes for its network ``name`` as ``weights``.

    Layers that do not fit (the last one for other classes) keep their values. DEFAULT is the best.
    ``prefix`` is where in ``network`` that one lies, such as "backbone.".

    Raises:
        UnknownNameError: torchvision publishes no such weights for it.

    """
    published = torchvision.models.get_model_weights(name)
    names = ["DEFAULT", *published.__members__]
    expect_name(weights, names, f"torchvision weights of {name}")
    found: dict[str, Tensor] = published[weights].get_state_dict(check_hash=True, weights_only=True)
    load_fitting(network, {prefix + key: tensor for key, tensor in found.items()})


def _single(name: str) -> dict[str, Any]:
    """Switch off the extra heads of the Inception networks, which return a tuple in training."""
    inception = name in {"googlenet", "inception_v3"}
    return {"aux_logits": False, "init_weights": True} if inception else {}
