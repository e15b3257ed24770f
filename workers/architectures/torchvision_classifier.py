"""Any classifier of torchvision, for other classes or channels than its weights were made for."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import torchvision
from torch import Tensor, nn

from workers.registry import UnknownPlugInError


def torchvision_classifier(name: str, *, channels: int, classes: int) -> nn.Module:
    """Build torchvision's classifier ``name`` with fresh weights.

    Args:
        name: as in ``torchvision.models.list_models``.
        channels: input channels; other than 3, the first convolution is made anew.
        classes: outputs.

    Raises:
        UnknownPlugInError: torchvision has no such classifier.

    """
    _expect(name, torchvision.models.list_models(module=torchvision.models), "classifier")
    network: nn.Module = torchvision.models.get_model(name, num_classes=classes, **_single(name))
    if channels != 3:
        _replace_first_conv(network, channels)
    return network


def load_published(network: nn.Module, name: str, weights: str) -> None:
    """Load what torchvision publishes for the classifier ``name`` as ``weights``.

    Layers that do not fit (the last one for other classes) keep their values. DEFAULT is the best.

    Raises:
        UnknownPlugInError: torchvision publishes no such weights for it.

    """
    published = torchvision.models.get_model_weights(name)
    _expect(weights, ["DEFAULT", *published.__members__], f"weights of {name}")
    own = network.state_dict()
    found: dict[str, Tensor] = published[weights].get_state_dict(check_hash=True, weights_only=True)
    fitting = {n: t for n, t in found.items() if n in own and own[n].shape == t.shape}
    network.load_state_dict(fitting, strict=False)


def _single(name: str) -> dict[str, Any]:
    """Switch off the extra heads of the Inception networks, which return a tuple in training."""
    inception = name in {"googlenet", "inception_v3"}
    return {"aux_logits": False, "init_weights": True} if inception else {}


def _replace_first_conv(network: nn.Module, channels: int) -> None:
    name, conv = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    network.set_submodule(
        name,
        nn.Conv2d(
            channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]
            conv.stride,  # type: ignore[arg-type]
            conv.padding,  # type: ignore[arg-type]
            bias=conv.bias is not None,
        ),
    )


def _expect(name: str, known: list[str], kind: str) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(known)}"
    raise UnknownPlugInError(f"unknown torchvision {kind} '{name}', {hint}")
