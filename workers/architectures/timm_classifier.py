"""Any classifier of timm (PyTorch image models), an optional package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import nn

from workers.architectures.published import expect_name, load_fitting
from workers.contracts import PermanentError


class MissingPackageError(PermanentError):
    """An optional package is not installed; the message says how to get it."""


def timm_classifier(name: str, *, channels: int, classes: int) -> nn.Module:
    """Build timm's classifier ``name`` with fresh weights.

    Args:
        name: as in ``timm.list_models``, with or without the tag of published weights.
        channels: input channels.
        classes: outputs.

    Raises:
        MissingPackageError: timm is not installed.
        UnknownNameError: timm has no such classifier, or publishes no weights with that tag.

    """
    timm = _timm()
    architecture, dot, _ = name.partition(".")
    expect_name(architecture, timm.list_models(), "timm classifier")
    if dot:
        expect_name(name, _published(timm, architecture), "timm weights")
    made: nn.Module = timm.create_model(name, num_classes=classes, in_chans=channels)
    return made


def load_published(network: nn.Module, name: str) -> None:
    """Load what timm publishes for the classifier ``name``; layers that do not fit stay.

    Raises:
        MissingPackageError: timm is not installed.
        UnknownNameError: timm publishes no weights for it.

    """
    timm = _timm()
    architecture = name.partition(".")[0]
    published = _published(timm, architecture)
    expect_name(name, [*published, architecture] if published else [], "timm weights")
    load_fitting(network, timm.create_model(name, pretrained=True).state_dict())


def _timm() -> Any:
    try:
        return import_module("timm")
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "the model 'timm' needs the package timm: pip install 'prunesweep[timm]'"
        ) from error


def _published(timm: Any, architecture: str) -> list[str]:
    names: list[str] = timm.list_models(f"{architecture}*", pretrained=True)
    return [name for name in names if name.partition(".")[0] == architecture]
