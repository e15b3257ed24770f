"""Whether a network can be pruned by every method, found out within seconds and without data."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from workers.contracts import Component, Method, PermanentError
from workers.loss import loss
from workers.modes import evaluating
from workers.pruning.prunable import prunable_weights
from workers.pruning.prune import prune
from workers.pruning.size import layer_shapes, macs
from workers.pruning.skipped import Skipped, skipped_weights
from workers.registry import METHODS, MODELS, UnknownPlugInError

IMAGES = 4
"""Enough for the statistics of a normalisation layer to differ between the images."""
SAMPLES = 2
RATIO = 0.5
NOISE = 1e-3


class UnusableNetworkError(PermanentError):
    """A network that cannot be built, or does not map images to logits."""


@dataclass(frozen=True)
class MethodCheck:
    """Whether one method, with its default options, prunes the network; ``error`` says why not."""

    method: str
    error: str | None


@dataclass(frozen=True)
class Checked:
    """What is known of a network before it is trained.

    Attributes:
        parameters: entries of all parameters.
        prunable: entries of the prunable weights.
        layers: number of prunable weights.
        macs: multiply-accumulates for one image, unpruned.
        uncalled: prunable weights of layers that evaluation never calls; not in ``macs``.
        skipped: weights that no method prunes, if they are many.
        dead: parameters that no gradient reaches in training; they never learn.
        methods: one entry per registered method.

    """

    parameters: int
    prunable: int
    layers: int
    macs: int
    uncalled: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    dead: tuple[str, ...]
    methods: tuple[MethodCheck, ...]


def check_model(component: Component, *, channels: int, classes: int, size: int) -> Checked:
    """Build a network, run it forward and backward on noise, and prune copies of it.

    Args:
        component: the model.
        channels: of the images.
        classes: of the logits.
        size: height and width of the images.

    Raises:
        UnusableNetworkError: the network cannot be built, or run on such images.

    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _as_if_trained(_build(component, channels, classes))
        images = torch.randn(IMAGES, channels, size, size)
        try:
            labels = _labels(network, images, classes)
            called, cost = layer_shapes(network, images), macs(network, images)
            dead = _dead(copy.deepcopy(network), images, labels)
        except Exception as error:
            shape = f"{channels} x {size} x {size}"
            message = f"cannot run {component.name} on images of {shape}: {_line(error)}"
            raise UnusableNetworkError(message) from error
        weights = prunable_weights(network)
        return Checked(
            parameters=sum(p.numel() for p in network.parameters()),
            prunable=sum(w.numel() for w in weights.values()),
            layers=len(weights),
            macs=cost,
            uncalled=tuple(name for name in weights if name not in called),
            skipped=skipped_weights(network),
            dead=dead,
            methods=tuple(_check(name, network, images, labels) for name in METHODS.names()),
        )


def _build(component: Component, channels: int, classes: int) -> nn.Module:
    try:
        network: Any = MODELS.create(component).build(channels=channels, classes=classes)
    except Exception as error:
        message = f"cannot build {component.name}: {_line(error)}"
        raise UnusableNetworkError(message) from error
    if not isinstance(network, nn.Module):
        found = type(network).__name__
        raise UnusableNetworkError(
            f"{component.name} makes no network: expected a Module, found {found}"
        )
    if any(isinstance(p, UninitializedParameter) for p in network.parameters()):
        raise UnusableNetworkError(f"{component.name} has lazy layers: give their sizes")
    return network


@torch.no_grad()
def _as_if_trained(network: nn.Module) -> nn.Module:
    """Move every parameter a little: one that starts at 0 would count as pruned, or hide others."""
    for parameter in network.parameters():
        parameter.add_(torch.randn_like(parameter), alpha=NOISE)
    return network


def _labels(network: nn.Module, images: Tensor, classes: int) -> Tensor:
    """Draw labels, one per image or per pixel, whichever the network predicts."""
    with evaluating(network), torch.no_grad():
        output = network(images)
    logits = output.get("out") if isinstance(output, Mapping) else output
    if not isinstance(logits, Tensor):
        raise PermanentError(
            f"expected logits, or a mapping of 'out' to them, found {type(output).__name__}"
        )
    expected, found = [len(images), classes], list(logits.shape)
    if found[:2] != expected or len(found) not in (2, 4):
        raise PermanentError(f"expected logits of shape {expected}, found {found}")
    return torch.randint(classes, (len(images), *found[2:]))


def _dead(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[str, ...]:
    """Name the parameters whose gradient is absent or exactly 0."""
    loss(network.train()(images), labels).backward()  # type: ignore[no-untyped-call]
    return tuple(n for n, p in network.named_parameters() if p.grad is None or not p.grad.any())


def _check(name: str, network: nn.Module, images: Tensor, labels: Tensor) -> MethodCheck:
    try:
        _try(METHODS.create(Component(name)), copy.deepcopy(network), images, labels)
    except Exception as error:
        return MethodCheck(name, _line(error))
    return MethodCheck(name, None)


def _try(method: Method, network: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Prune ``network`` in place by about half, with some of the images as the samples."""
    prune(network, method, RATIO, samples=[(images[:SAMPLES], labels[:SAMPLES])], exact=False)


def _line(error: Exception) -> str:
    """What a person is told of ``error``: the first line, after its type unless it is our own."""
    first = next(iter(str(error).splitlines()), "")
    ours = isinstance(error, PermanentError | UnknownPlugInError)
    return first if ours else f"{type(error).__name__}: {first}"
