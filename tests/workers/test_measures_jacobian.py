"""Singular values of Jacobians that are known."""

from __future__ import annotations

from math import isinf, isnan, sqrt

import pytest
import torch
from torch import Tensor, nn

from tests.workers.probes import PARENT, PRUNED, FakeProbe, linear, normal, rotation
from workers.contracts import Reading
from workers.inspection.jacobian import jacobian_singular_values, jacobians
from workers.measures.jacobian import Jacobian
from workers.models.resnet8 import ResNet8


def measured(network: nn.Module, images: Tensor, **options: int) -> dict[str, Reading]:
    probe = FakeProbe({"parent": network}, images)
    return {one.quantity: one for one in Jacobian(**options).measure([PARENT], probe)}


def flat(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Flatten(), *layers)


def test_the_jacobian_of_a_linear_map_is_its_matrix():
    weight, images = normal(3, 8), normal(5, 2, 2, 2)
    found = jacobians(flat(linear(weight)), images, torch.tensor([0, 2]))
    assert torch.equal(found, weight[[0, 2]].expand(5, 2, 8))
    values = jacobian_singular_values(flat(linear(weight)), images, torch.arange(3))
    assert torch.allclose(values, torch.linalg.svdvals(weight.double()).expand(5, 3), rtol=1e-5)


def test_a_chain_of_orthogonal_layers_is_an_isometry():
    layers = [linear(rotation(8)), linear(rotation(8, 1)[:6]), linear(rotation(6, 2)[:4])]
    found = measured(flat(*layers), normal(20, 2, 2, 2))
    for quantity in ("jsv_mean", "jsv_max", "jsv_min", "condition_number"):
        assert found[quantity].value == pytest.approx(1, abs=1e-5)
    for quantity in ("jsv_std", "isometry_deviation"):
        assert found[quantity].value == pytest.approx(0, abs=1e-5)


class Scaled(nn.Module):
    """Logits (2 x₁, x₂ · |x₃| / 2): singular values 2 and 1 where x₂ = 0, |x₃| = 2."""

    def forward(self, images: Tensor) -> Tensor:
        x = images.flatten(1)
        return torch.stack([2 * x[:, 0], x[:, 1] * x[:, 2].abs() / 2], dim=1)


def test_readings_sum_up_all_singular_values_of_all_images():
    """Images with the singular values (2, 1) and (2, 0.5)."""
    images = torch.tensor([[0.3, 0.0, 2.0], [0.1, 0.0, -1.0]]).view(2, 3, 1, 1)
    found = measured(Scaled(), images)
    values = torch.tensor([2, 1, 2, 0.5])
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {
            "jsv_mean": 1.375,
            "jsv_std": float(values.std(correction=0)),
            "jsv_max": 2,
            "jsv_min": 0.5,
            "isometry_deviation": (1 + 0 + 1 + 0.25) / 4,
            "condition_number": (2 + 4) / 2,
        }
    )
    assert found["jsv_mean"].spread == pytest.approx(0.125)
    assert found["condition_number"].spread == pytest.approx(1)
    assert isnan(found["jsv_max"].spread)


def test_a_lost_rank_has_an_infinite_condition_number_and_a_dead_network_none():
    weight = normal(3, 8)
    weight[1] = 2 * weight[0]
    found = measured(flat(linear(weight)), normal(4, 2, 2, 2))
    assert isinf(found["condition_number"].value)
    dead = measured(flat(linear(torch.zeros(3, 8))), normal(4, 2, 2, 2))
    assert isnan(dead["condition_number"].value)
    assert (dead["jsv_mean"].value, dead["isometry_deviation"].value) == (0, 1)


def test_of_many_logits_the_same_few_are_drawn_for_all_networks():
    weight = normal(40, 8)
    probe = FakeProbe({"parent": flat(linear(weight)), "pruned": flat(linear(3 * weight))})
    probe.images = normal(2, 2, 2, 2)
    readings = list(Jacobian(classes=4).measure([PARENT, PRUNED], probe))
    mean = {r.subject: r.value for r in readings if r.quantity == "jsv_mean"}
    assert mean[1] == pytest.approx(3 * mean[0], rel=1e-5)
    chosen = torch.randperm(40, generator=torch.Generator().manual_seed(3))[:4]
    assert mean[0] == pytest.approx(float(torch.linalg.svdvals(weight[chosen]).mean()), rel=1e-5)


def test_normalisation_is_that_of_evaluation_and_modes_are_restored():
    """In training mode every image would have a part in the logits of the others."""
    norm = nn.BatchNorm1d(8)
    norm.running_var.fill_(4)
    network = flat(norm, linear(rotation(8))).train()
    values = jacobian_singular_values(network, normal(6, 2, 2, 2), torch.arange(8))
    assert torch.allclose(values, torch.tensor(1 / sqrt(4 + 1e-5)).double(), atol=1e-5)
    assert network.training
    assert norm.training


def test_every_image_of_a_convolutional_network_has_its_own():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ResNet8(width=4).build(channels=1, classes=10).eval()
    images = normal(70, 1, 8, 8)
    values = jacobian_singular_values(network, images, torch.arange(10))
    assert values.shape == (70, 10)
    alone = torch.autograd.functional.jacobian(network, images[65:66])[0, :, 0].flatten(1)
    assert torch.allclose(values[65], torch.linalg.svdvals(alone.double()), rtol=1e-4, atol=1e-6)
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("options", [{"images": 0}, {"classes": 0}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match="at least 1, found 0"):
        Jacobian(**options)


def test_cost_is_a_pass_and_one_for_each_logit():
    assert Jacobian(images=20).passes(3) == 3 * 20 * 11
    assert Jacobian(images=20, classes=2).passes(3) == 3 * 20 * 3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_says_what_the_cpu_says():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network, images = ResNet8().build(channels=3, classes=10), normal(80, 3, 32, 32)
    on_cpu = measured(network, images)
    probe = FakeProbe({"parent": network}, images, torch.device("cuda"))
    on_cuda = list(Jacobian().measure([PARENT], probe))
    assert {r.quantity: r.value for r in on_cuda} == pytest.approx(
        {name: one.value for name, one in on_cpu.items()}, rel=1e-2
    )
