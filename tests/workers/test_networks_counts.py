"""The published sizes of the networks: the reference table of Lost in Pruning, and known ones."""

import pytest
import torch

from workers.contracts import Component
from workers.pruning.prunable import prunable_weights
from workers.pruning.size import macs
from workers.registry import MODELS

PAPER = [
    ("resnet20", 22, 270_896, 272_474, "4.08e+07"),
    ("resnet56_bottleneck", 86, 856_496, 869_530, "1.27e+08"),
    ("resnet110_bottleneck", 167, 1_679_024, 1_704_154, "2.48e+08"),
    ("vgg16_bn", 14, 14_715_584, 14_728_266, "3.13e+08"),
    ("wrn16_8", 17, 10_954_160, 10_961_370, "1.55e+09"),
    ("densenet22", 22, 69_684, 71_686, "3.12e+07"),
]
"""Model, prunable layers, their weights, all parameters, multiply-accumulates at 3 digits."""


def build(model: str, channels: int) -> torch.nn.Module:
    return MODELS.create(Component(model)).build(channels=channels, classes=10)


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("model", "layers", "weights", "size", "cost"), PAPER)
def test_networks_of_the_paper(model: str, layers: int, weights: int, size: int, cost: str) -> None:
    network = build(model, channels=3)
    prunable = prunable_weights(network)
    assert len(prunable) == layers
    assert sum(w.numel() for w in prunable.values()) == weights
    assert parameters(network) == size
    assert f"{macs(network, torch.zeros(1, 3, 32, 32)):.2e}" == cost


# He et al. (2016) without the shortcuts of 16·32 + 64 and 32·64 + 128 parameters: 853,018 and
# 1,727,962.
@pytest.mark.parametrize(
    ("model", "layers", "size"),
    [("resnet8", 10, 78_042), ("resnet56", 58, 855_770), ("resnet110", 112, 1_730_714)],
)
def test_residual_networks_with_basic_blocks(model: str, layers: int, size: int) -> None:
    network = build(model, channels=3)
    assert len(prunable_weights(network)) == layers
    assert parameters(network) == size


@pytest.mark.parametrize(
    ("model", "layers", "size", "cost"),
    [
        ("lenet300_100", 3, 266_610, 784 * 300 + 300 * 100 + 100 * 10),
        ("lenet5", 4, 431_080, 500 * 24 * 24 + 25_000 * 8 * 8 + 800 * 500 + 500 * 10),
    ],
)
def test_lenets(model: str, layers: int, size: int, cost: int) -> None:
    network = build(model, channels=1)
    assert len(prunable_weights(network)) == layers
    assert parameters(network) == size
    assert macs(network, torch.zeros(1, 1, 28, 28)) == cost
