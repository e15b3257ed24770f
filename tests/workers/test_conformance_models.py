"""What every registered model must do."""

import subprocess
import sys
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from workers.contracts import Component
from workers.loss import loss
from workers.pruning.prunable import prunable_weights
from workers.registry import MODELS

CLASSES = 5
OPTIONS = {"torchvision": {"name": "resnet18"}, "timm": {"name": "resnet18"}}
EXTRAS = {"timm"}
"""Models that need a package of the same name, which need not be installed."""
ANY_SIZE = [(1, 8), (3, 32)]
INPUTS = {
    "lenet300_100": [(1, 28), (3, 28)],  # made for one size
    "lenet5": [(1, 28)],
    "vgg16_bn": [(3, 32)],  # halves the image five times
    # The others take any size; these are large, and tried once.
    "deeplabv3_resnet50": [(3, 32)],
    "resnet56_bottleneck": [(1, 8)],
    "resnet110": [(1, 8)],
    "resnet110_bottleneck": [(1, 8)],
    "wrn16_8": [(3, 8)],
}
"""Channels, and height and width, that a model is tried with, where not both of ``ANY_SIZE``."""


def build(name: str, channels: int) -> nn.Module:
    if name in EXTRAS:
        pytest.importorskip(name, reason=f"{name} is an optional extra")
    torch.manual_seed(3)
    model = MODELS.create(Component(name, OPTIONS.get(name, {})))
    return model.build(channels=channels, classes=CLASSES)


def logits(output: Tensor | Mapping[str, Tensor]) -> Tensor:
    """Take the logits of a network, for segmentation one of two heads."""
    return output["out"] if isinstance(output, Mapping) else output


@pytest.mark.parametrize(
    ("name", "channels", "size"),
    [(name, *shape) for name in MODELS.names() for shape in INPUTS.get(name, ANY_SIZE)],
)
def test_model(name: str, channels: int, size: int) -> None:
    network = build(name, channels)
    assert prunable_weights(network)
    assert_repeats_with_the_seed(network, build(name, channels))
    images = torch.randn(4, channels, size, size)
    shape = assert_gives_finite_logits(network.eval(), images)
    assert_every_parameter_learns(network.train(), images, torch.arange(4), shape)


def assert_repeats_with_the_seed(one: nn.Module, two: nn.Module) -> None:
    first, second = one.state_dict(), two.state_dict()
    assert list(first) == list(second)
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def assert_gives_finite_logits(network: nn.Module, images: Tensor) -> torch.Size:
    """Check for logits per image or per pixel, and tell which by the shape after the classes."""
    with torch.no_grad():
        given = logits(network(images))
    assert given.shape[:2] == (len(images), CLASSES)
    assert given.shape[2:] in {(), images.shape[2:]}
    assert given.isfinite().all()
    return given.shape[2:]


def assert_every_parameter_learns(
    network: nn.Module, images: Tensor, labels: Tensor, shape: torch.Size
) -> None:
    """Check the gradients, after a move away from the zeros that some layers start from."""
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter), alpha=1e-3)
    targets = labels.view(-1, *[1] * len(shape)).expand(-1, *shape)
    loss(network(images), targets).backward()
    dead = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


def test_models_are_imported_without_torch() -> None:
    script = (
        "import sys; from workers.registry import MODELS;"
        "[MODELS.get(name) for name in MODELS.names()];"
        "assert not {'torch', 'torchvision', 'timm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
