"""What is set to zero because it has no effect, on networks small enough to see."""

from __future__ import annotations

import torch
from torch import nn

from workers.pruning.propagation import propagate_filters, propagate_weights

LABELS = torch.tensor([0, 1, 1, 0])
INPUTS = torch.tensor([[1.0, 2.0], [2.0, -1.0], [0.5, 3.0], [-1.0, 1.0]])
SAMPLES = [(INPUTS, LABELS), (INPUTS + 0.25, LABELS)]


def mlp() -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)).eval()
    made[1].bias.data.fill_(5.0)  # nothing is cut off by the rectifier
    return made


def test_a_network_without_zeros_stays_as_it_is():
    for propagate in (propagate_weights, propagate_filters):
        made = mlp()
        before = [p.clone() for p in made.parameters()]
        propagate(made, SAMPLES)
        assert all(map(torch.equal, made.parameters(), before))


def test_a_neuron_that_nobody_reads_goes_with_its_bias_and_normalisation():
    made = mlp()
    made[3].weight.data[:, 1] = 0
    propagate_weights(made, SAMPLES)
    assert not made[0].weight[1].any()
    assert [made[0].bias[1], made[1].weight[1], made[1].bias[1]] == [0, 0, 0]
    assert all(made[0].weight[0] != 0)
    assert all(p[i] != 0 for p in (made[0].bias, made[1].weight, made[1].bias) for i in (0, 2))


def test_a_neuron_that_never_fires_on_the_samples_goes():
    made = mlp()
    made[1].bias.data[2] = -1e6
    propagate_weights(made, SAMPLES)
    assert not made[0].weight[2].any()
    assert not made[3].weight[:, 2].any()  # their input is always 0
    assert made[1].bias[2] == 0


def test_a_constant_that_is_not_zero_stays_for_weights_and_goes_for_filters():
    made = mlp()
    made[0].weight.data[0] = 0
    propagate_weights(made, SAMPLES)
    assert made[3].weight[:, 0].all()
    propagate_filters(made, SAMPLES)
    assert not made[3].weight[:, 0].any()
    assert made[0].bias[0] != 0
    assert made[1].bias[0] == 5


def test_a_filter_that_nobody_reads_goes_without_its_bias():
    made = mlp()
    made[3].weight.data[:, 1] = 0
    propagate_filters(made, SAMPLES)
    assert not made[0].weight[1].any()
    assert made[0].bias[1] != 0
    assert made[1].weight[1] == 1


def test_one_batch_in_which_something_matters_is_enough():
    made = mlp()
    made[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    made[0].bias.data.zero_()
    made[1] = nn.Identity()
    silent = -INPUTS.abs()
    propagate_weights(made, [(silent, LABELS), (INPUTS, LABELS)])
    assert int(made[0].weight.count_nonzero()) == 4
    assert made[3].weight.all()


def test_convolutions_lose_whole_channels():
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 2, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ).eval()
    made[0].bias.data.fill_(3.0)
    made[0].weight.data[2] = 0
    made[2].weight.data[:, 1] = 0
    images = torch.rand(4, 1, 6, 6)
    propagate_filters(made, [(images, LABELS)])
    assert [bool(row.any()) for row in made[0].weight] == [True, False, False, True]
    assert [bool(made[2].weight[:, c].any()) for c in range(4)] == [True, False, False, True]


def test_layers_without_a_part_in_the_loss_are_left_alone():
    class Spare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x)

    for propagate in (propagate_weights, propagate_filters):
        made = Spare().eval()
        propagate(made, SAMPLES)
        assert made.unused.weight.all()
