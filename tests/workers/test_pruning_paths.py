"""Which weights lie on a path, on networks small enough to see."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from workers.contracts import Component
from workers.pruning.paths import Paths
from workers.pruning.prunable import prunable_weights
from workers.registry import MODELS


class Residual(nn.Module):
    """A stem, one residual block of two convolutions, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 3, 3, padding=1)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 3, 3, padding=1)
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        out = self.second(torch.relu(self.norm(self.first(x))))
        return self.linear(torch.relu(x + out).mean((2, 3)))


IMAGE = torch.zeros(2, 1, 6, 6)


def paths(network: nn.Module, image: Tensor = IMAGE) -> Paths:
    found = Paths.of(network.eval(), image)
    assert found is not None
    return found


def test_nothing_pruned_everything_is_on_a_path():
    made = Residual()
    assert paths(made).remaining({}) == 27 + 108 + 108 + 6


def test_a_filter_takes_the_next_layers_channel_with_it_but_not_past_a_shortcut():
    keep = torch.ones(4, 3, 3, 3, dtype=torch.bool)
    keep[1] = False
    assert paths(Residual()).remaining({"first.weight": keep}) == 27 + 81 + 81 + 6
    keep = torch.ones(3, 4, 3, 3, dtype=torch.bool)
    keep[1] = False
    # The stem still feeds that channel of the sum, so only the filter itself goes.
    assert paths(Residual()).remaining({"second.weight": keep}) == 27 + 108 + 72 + 6


def test_a_channel_that_all_consumers_drop_takes_its_filter_with_it():
    first = torch.ones(4, 3, 3, 3, dtype=torch.bool)
    first[:, 2] = False
    made = paths(Residual())
    assert made.remaining({"first.weight": first}) == 27 + 72 + 108 + 6
    linear = torch.ones(2, 3, dtype=torch.bool)
    linear[:, 2] = False
    # Now nobody reads channel 2 of the stem or of the second convolution.
    assert made.remaining({"first.weight": first, "linear.weight": linear}) == 18 + 72 + 72 + 4


def test_a_layer_without_weights_cuts_everything_off_but_the_shortcut():
    none = torch.zeros(4, 3, 3, 3, dtype=torch.bool)
    assert paths(Residual()).remaining({"first.weight": none}) == 27 + 6
    assert paths(Residual()).remaining({"linear.weight": torch.zeros(2, 3, dtype=torch.bool)}) == 0


def test_values_biases_and_running_statistics_do_not_matter():
    made = Residual()
    for parameter in made.parameters():
        parameter.data *= -1e-12
    made.norm.running_mean += 100
    made.norm.bias.data.fill_(-100)
    assert paths(made).remaining({}) == 249


def test_a_scale_of_zero_cuts_its_channel_off():
    made = Residual()
    made.norm.weight.data[0] = 0
    assert Paths.of(made.eval(), IMAGE) is None
    made.first.weight.data[0], made.second.weight.data[:, 0] = 0, 0
    assert paths(made).remaining({}) == 249 - 27 - 27


def test_layer_normalisation_cannot_be_told_by_paths():
    made = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    assert Paths.of(made.eval(), torch.zeros(1, 4)) is None


@pytest.mark.parametrize("name", ["resnet20", "densenet22", "resnet110_bottleneck"])
def test_deep_networks_neither_vanish_nor_overflow(name):
    made = MODELS.create(Component(name)).build(channels=3, classes=10)
    whole = sum(w.numel() for w in prunable_weights(made).values())
    assert paths(made, torch.zeros(1, 3, 32, 32)).remaining({}) == whole


def test_the_network_is_left_alone():
    made = Residual().eval()
    before = {key: value.clone() for key, value in made.state_dict().items()}
    paths(made).remaining({"first.weight": torch.zeros(4, 3, 3, 3, dtype=torch.bool)})
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())
    assert all(p.grad is None and p.dtype == torch.float32 for p in made.parameters())
