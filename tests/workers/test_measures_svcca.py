"""SVCCA: its invariances, its value for independent layers, and which pairs are compared."""

from __future__ import annotations

from copy import deepcopy
from math import isnan

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.workers.probes import PARENT, PRUNED, SEPARATE, FakeProbe, normal, rotation, values
from workers.contracts import Reading
from workers.inspection.activations import sample_activations
from workers.inspection.canonical_correlation import main_directions, mean_correlation
from workers.measures.svcca import Svcca
from workers.models.resnet8 import ResNet8

SUBJECTS = (PARENT, PRUNED, SEPARATE)


def svcca(x: Tensor, y: Tensor, variance: float = 0.99) -> float:
    return mean_correlation(main_directions(x, variance), main_directions(y, variance))


@given(st.integers(0, 10**6), st.integers(1, 12), st.floats(0.01, 100))
def test_a_rotation_a_factor_and_an_offset_change_nothing(seed, neurons, factor):
    x = normal(200, neurons, seed=seed) * torch.linspace(1, 3, neurons)
    turned = factor * x @ rotation(neurons, seed) + 5
    assert svcca(x, turned) == pytest.approx(1, abs=1e-5)


def test_plain_cca_is_invariant_to_every_invertible_map():
    x, mixed = normal(1000, 10).double(), normal(10, 10, seed=1).double()
    assert svcca(x, x @ mixed, variance=1) == pytest.approx(1, abs=1e-9)


def test_independent_layers_correlate_by_chance_alone():
    x, y = normal(10_000, 10).double(), normal(10_000, 10, seed=1).double()
    assert svcca(x, y, variance=1) == pytest.approx(0.025, abs=0.006)


def test_the_mean_is_over_the_smaller_set():
    """Half of the directions of y are those of x: correlations 1, 1 and 0, 0, of 4 and of 2."""
    q = torch.linalg.qr(normal(400, 6).double())[0]
    assert mean_correlation(q[:, :4], q[:, 2:]) == pytest.approx(0.5)
    assert mean_correlation(q[:, :4], q[:, 2:4]) == pytest.approx(1)


def test_directions_are_those_of_the_wanted_variance():
    """Variances 90, 9 and 1 of a hundred, in an exact sample."""
    drawn = normal(500, 3).double()
    exact = torch.linalg.qr(drawn - drawn.mean(0))[0]
    rows = exact * torch.tensor([90.0, 9.0, 1.0], dtype=torch.float64).sqrt()
    kept = {share: main_directions(rows, share) for share in (0.8, 0.95, 0.995, 1.0)}
    assert [kept[share].shape[1] for share in kept] == [1, 2, 3, 3]
    assert torch.allclose(kept[1.0].abs(), exact.abs(), atol=1e-9)
    assert torch.allclose(kept[1.0].mT @ kept[1.0], torch.eye(3).double())


def test_constant_neurons_are_left_out_and_nothing_else():
    x = normal(300, 5)
    dead = torch.cat([x, torch.zeros(300, 2), torch.full((300, 1), 0.3)], dim=1)
    dead[::2, 7] = torch.nextafter(dead[0, 7], torch.tensor(1.0))  # rounding
    assert main_directions(dead, 1.0).shape == (300, 5)
    assert svcca(x, dead) == pytest.approx(1)
    assert isnan(svcca(x, torch.full((300, 5), 0.3)))


def test_too_few_rows_for_a_statement_are_not_one():
    assert svcca(normal(50, 5), normal(50, 5), 1.0) == pytest.approx(1)
    assert isnan(svcca(normal(49, 5), normal(49, 5), 1.0))


class Convolved(nn.Module):
    """A 1x1 convolution to 30 channels, applied twice, and a linear layer on each row of pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 30, 1)
        self.relu = nn.ReLU(inplace=True)
        self.rows = nn.Linear(4, 7)
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        self.relu(self.conv(-x))
        rows: Tensor = self.rows(self.relu(self.conv(x)).mean(1))
        return rows.mean(1)


def test_rows_are_positions_of_the_layer_s_own_outputs():
    network, images = Convolved(), normal(100, 1, 4, 4)
    found = sample_activations(network, images, seed=0)
    assert {name: tuple(rows.shape) for name, rows in found.items()} == {
        "conv": (2 * 100 * 3, 30),  # 10 rows per neuron need 3 positions of each image and call
        "rows": (100, 7),
    }
    assert (found["conv"] < 0).any()  # before the ReLU that works in place
    pixel = (found["conv"] - network.conv.bias) @ network.conv.weight[:, 0, 0, 0]
    pixel = pixel / network.conv.weight.square().sum()
    # The second call sees the pixels themselves, at three different positions of each image.
    second = torch.cat([part[1] for part in _calls(pixel)]).view(100, 3)
    near = (second[:, :, None] - images.flatten(1)[:, None]).abs() < 1e-5
    assert near.any(2).all()
    assert (near.any(1).sum(1) == 3).all()


def _calls(pixel: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Split rows into the two calls of each batch, of 64 and 36 images."""
    first, second = pixel[: 2 * 64 * 3], pixel[2 * 64 * 3 :]
    return [tuple(part.chunk(2)) for part in (first, second)]  # type: ignore[misc]


def test_the_same_seed_takes_the_same_positions():
    network, images = Convolved(), normal(100, 1, 4, 4)
    one, two, other = (sample_activations(network, images, seed)["conv"] for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def networks() -> dict[str, nn.Module]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parent, separate = (ResNet8(width=4).build(channels=1, classes=10) for _ in range(2))
    return {"parent": parent, "pruned": deepcopy(parent), "separate": separate}


def measured(made: dict[str, nn.Module]) -> list[Reading]:
    return list(Svcca(images=300).measure(SUBJECTS, FakeProbe(made, normal(300, 1, 8, 8))))


def test_every_layer_is_compared_with_both_dense_networks():
    readings = measured(networks())
    pairs = {(one.subject, one.against) for one in readings}
    assert pairs == {(1, 0), (1, 2), (2, 0)}
    to_parent, to_separate, floor = (
        {r.part: r.value for r in readings if (r.subject, r.against) == pair}
        for pair in ((1, 0), (1, 2), (2, 0))
    )
    assert [*to_parent][:: len(to_parent) - 1] == ["conv", "linear"]
    assert len(to_parent) == 10
    assert all(value == pytest.approx(1) for value in to_parent.values())
    assert to_separate == pytest.approx(floor)  # the pruned network is the parent
    assert all(0 <= value < 0.999 for part, value in floor.items() if part != "conv")


def test_pruned_filters_give_numbers_and_a_pruned_layer_nan():
    made = networks()
    for name, pruned in (("stages.0.0.conv1", 2), ("stages.1.0.conv1", 8)):
        made["pruned"].get_submodule(name).weight.data[:pruned] = 0
    readings = [r for r in measured(made) if r.against == 0]
    found = values(readings, "svcca", 1)
    assert isnan(found.pop("stages.1.0.conv1"))
    assert isnan(found.pop("stages.1.0.conv2"))  # it sees nothing but zeros
    assert all(0 <= value <= 1 for value in found.values())
    assert found["conv"] == pytest.approx(1)
    assert found["stages.0.0.conv1"] == pytest.approx(1)  # what is left is a part of the parent's
    assert found["stages.0.0.conv2"] < 0.99


@pytest.mark.parametrize("options", [{"images": 0}, {"variance": 0.0}, {"variance": 1.01}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        Svcca(**options)


def test_cost_is_one_pass_per_image_and_network():
    assert Svcca(images=30).passes(5) == 150


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_says_what_the_cpu_says():
    made, images = networks(), normal(300, 1, 8, 8)
    on_cpu, on_cuda = (
        list(Svcca(images=300).measure(SUBJECTS, FakeProbe(made, images, torch.device(device))))
        for device in ("cpu", "cuda")
    )
    assert [r.part for r in on_cpu] == [r.part for r in on_cuda]
    assert [r.value for r in on_cuda] == pytest.approx([r.value for r in on_cpu], abs=1e-3)
