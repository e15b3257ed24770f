"""Methods whose scores can be checked by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workers.contracts import Component
from workers.pruning.contributions import contributions, greedy_order
from workers.pruning.methods.pfp import PFP
from workers.pruning.methods.sipp import SiPP
from workers.pruning.methods.snip import Snip
from workers.pruning.methods.thinet import ThiNet
from workers.pruning.methods.uniform_filters import UniformFilters
from workers.pruning.methods.uniform_weights import UniformWeights
from workers.pruning.prunable import count
from workers.pruning.prune import prune
from workers.registry import METHODS


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, stride=2, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, dilation=2, padding=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    ).eval()


def samples(count: int = 12, size: int = 8) -> list[tuple[torch.Tensor, torch.Tensor]]:
    images = torch.randn(count, 2, size, size, generator=seeded(7))
    labels = torch.randint(3, (count,), generator=seeded(8))
    return list(zip(images.split(5), labels.split(5), strict=True))


def test_snip_by_hand():
    made = nn.Linear(2, 2, bias=False)
    made.weight.data = torch.tensor([[1.0, -2.0], [0.5, 0.0]])
    # Logits (1, ½) and (−2, 0) for the two images; p − y, by image: (s, −s) and (−t, t) with
    # s = σ(½) for label 1 and t = 1 − σ(−2) for label 0.
    batch = [(torch.eye(2), torch.tensor([1, 0]))]
    s, t = 1 / (1 + 2.718281828459045**-0.5), 1 - 1 / (1 + 2.718281828459045**2)
    scores = Snip().scores(made, batch, seeded())["weight"]
    # The gradient of the mean loss is ½ (p − y) xᵀ; times the weights, without sign.
    assert scores.tolist() == [
        pytest.approx([1.0 * s / 2, 2.0 * t / 2], rel=1e-6),
        pytest.approx([0.5 * s / 2, 0.0], rel=1e-6),
    ]


def test_snip_averages_before_it_drops_the_sign_whatever_the_batches():
    made, parts = small(), samples()
    whole = [(torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts]))]
    one, two = (Snip().scores(made, batches, seeded()) for batches in (parts, whole))
    F.cross_entropy(made(whole[0][0]), whole[0][1]).backward()
    for name, parameter in made.named_parameters():
        if name in one:
            assert torch.allclose(one[name], two[name], atol=1e-7)
            assert torch.allclose(one[name], (parameter * parameter.grad).abs(), atol=1e-7)


def test_sipp_by_hand():
    """Weights (1, −1, 2) on inputs of 1: shares ⅓ and ⅔ of the positive sum, 1 of the negative."""
    made = nn.Linear(3, 1)
    made.weight.data = torch.tensor([[1.0, -1.0, 2.0]])
    batch = [(torch.ones(1, 3), torch.zeros(1, dtype=torch.int64))]
    expected = torch.tensor([[1 / 3, 1, 2 / 3]])
    for variant in ("deterministic", "random", "hybrid"):
        found = SiPP(variant=variant).scores(made, batch, seeded())["weight"]
        assert torch.allclose(found, expected)


def test_pfp_by_hand():
    made = nn.Linear(3, 2)
    made.weight.data = torch.tensor([[1.0, 1.0, 2.0], [3.0, 1.0, 0.0]])
    batch = [(torch.ones(1, 3), torch.zeros(1, dtype=torch.int64))]
    found = PFP().scores(made, batch, seeded())["weight"]
    assert torch.allclose(found, torch.tensor([3 / 4, 1 / 4, 1 / 2]))


def test_contributions_sum_to_the_outputs():
    """Of a convolution with stride, padding and dilation, one output each is split by channel."""
    made, parts = small(), samples()
    for layer, name in ((made[0], "0.weight"), (made[3], "3.weight"), (made[7], "7.weight")):
        nn.init.zeros_(layer.bias)
        seen: list[torch.Tensor] = []
        hook = layer.register_forward_hook(lambda _, __, out, seen=seen: seen.append(out.detach()))
        for images, _ in parts:
            made(images)
        hook.remove()
        outputs = torch.cat([out.flatten() for out in seen]).double()
        split = contributions(made, parts, 50, seeded())[name]
        assert split.shape == (50, layer.weight.shape[1])
        nearest = (split.sum(1)[:, None] - outputs).abs().amin(1)
        assert float(nearest.max()) < 1e-6


def test_thinet_removes_what_cancels():
    """Channels 0 and 3 cancel; 2 contributes nothing; √4 channels go at once."""
    split = torch.tensor([[1.0, 5.0, 0.0, -1.0], [2.0, 4.0, 0.0, -2.0]]).double()
    place = greedy_order(split)
    assert place[2] == 0
    assert sorted(place[[0, 3]].tolist()) == [1, 2]
    assert place[1] == 3


def test_thinet_chooses_anew_after_every_round():
    # First 0 and 1 (error 1 each, then 4 together); then −2 brings the sum to 0, 3 to 5.
    split = torch.tensor([[1.0, 1.0, -2.0, 3.0]]).double()
    assert greedy_order(split).tolist() == [1, 2, 3, 4]
    split = torch.tensor([[1.0, 1.0, 3.0, -2.0]]).double()
    assert greedy_order(split).tolist() == [1, 2, 4, 3]


def test_thinet_spares_the_image_channels():
    made = small()
    prune(made, ThiNet(), 0.4, samples=samples())
    assert made[0].weight.flatten(2).any(2).any(0).all()


def test_uniform_weights_keep_as_many_in_every_filter():
    made = nn.Sequential(nn.Linear(20, 5), nn.Linear(5, 4))
    prune(made, UniformWeights(), 0.5, generator=seeded())
    kept = [int(row.count_nonzero()) for row in made[0].weight]
    # 129 parameters, 9 of them biases: 55 weights stay, all 20 of the short filters.
    assert kept == [7, 7, 7, 7, 7]
    assert all(int(row.count_nonzero()) == 5 for row in made[1].weight)
    assert count(made).nonzero == 64


@pytest.mark.parametrize("method", [UniformWeights(), UniformFilters()])
def test_random_methods_follow_their_generator(method):
    masks = []
    for seed in (0, 0, 1):
        made = small()
        masks.append(prune(made, method, 0.5, samples=samples(), generator=seeded(seed)).masks)
    assert all(torch.equal(masks[0][name], masks[1][name]) for name in masks[0])
    assert any(not torch.equal(masks[0][name], masks[2][name]) for name in masks[0])


@pytest.mark.parametrize("variant", ["random", "hybrid"])
def test_sampled_networks_compute_the_same_on_average(variant):
    """One layer, pruned by drawing: the mean output over draws is the output before."""
    torch.manual_seed(0)
    made = nn.Linear(30, 4)
    images = torch.rand(16, 30, generator=seeded(3))
    batch = [(images, torch.arange(16) % 4)]
    before, total = made(images).detach(), torch.zeros(16, 4)
    for seed in range(300):
        pruned = nn.Linear(30, 4)
        pruned.load_state_dict(made.state_dict())
        method = METHODS.create(Component("sipp", {"variant": variant}))
        prune(pruned, method, 0.5, samples=batch, generator=seeded(seed), exact=False)
        total += pruned(images).detach()
    assert float((total / 300 - before).abs().mean()) < (0.03 if variant == "random" else 0.15)
