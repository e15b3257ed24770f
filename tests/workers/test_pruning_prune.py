"""Ratios, masks and cascades on small networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from workers.contracts import Component, Method
from workers.pruning.methods.ft import FilterThresholding
from workers.pruning.methods.reference import Reference
from workers.pruning.methods.wt import WeightThresholding
from workers.pruning.prunable import count, masks_of, prunable_weights
from workers.pruning.prune import PruneError, prune
from workers.registry import METHODS
from workers.training.masks import Masks

SOURCE = torch.Generator()
IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(5))


def network(seed: int = 0, width: int = 8) -> nn.Sequential:
    """Two convolutions, a depthwise one and a linear layer, all entries nonzero."""
    torch.manual_seed(seed)
    made = nn.Sequential(
        nn.Conv2d(3, width, 3),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, groups=width),
        nn.Conv2d(width, 2 * width, 3, bias=False),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2 * width, 10),
    )
    nn.init.normal_(made[1].bias)
    return made


def outputs(made: nn.Module) -> torch.Tensor:
    return made.eval()(IMAGES)


def test_prunable_weights_are_the_ungrouped_layers_in_order():
    assert list(prunable_weights(network())) == ["0.weight", "4.weight", "8.weight"]
    assert list(prunable_weights(nn.Linear(2, 3))) == ["weight"]


def test_shared_weights_count_once():
    made = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    made[1].weight = made[0].weight
    assert list(prunable_weights(made)) == ["0.weight"]
    assert count(made).parameters == count(made).prunable == 16


def test_counts():
    made = network()
    made[8].bias.data[:4] = 0
    counts = count(made)
    # 3·8·9+8, 2·8, 8·9+8, 8·16·9, 16·10+10
    assert counts.parameters == 224 + 16 + 80 + 1152 + 170
    assert counts.nonzero == counts.parameters - 4
    assert counts.prunable == 216 + 1152 + 160


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.9), st.integers(0, 3))
def test_wt_keeps_exactly_the_largest_magnitudes(ratio, seed):
    made = network(seed)
    values = sorted(
        (float(w), name, i)
        for name, p in prunable_weights(made).items()
        for i, w in enumerate(p.detach().abs().flatten())
    )
    parameters = count(made).parameters
    pruned = parameters - round((1 - ratio) * parameters)
    expected = {(name, i) for _, name, i in values[:pruned]}
    result = prune(made, WeightThresholding(), ratio)
    gone = {
        (name, i)
        for name, mask in result.masks.items()
        if name.endswith("weight")
        for i in (mask.flatten() == 0).nonzero()[:, 0].tolist()
    }
    assert gone == expected
    assert result.nonzero == parameters - pruned == count(made).nonzero
    assert result.achieved == 1 - result.nonzero / parameters
    assert result.within_tolerance


def test_equal_magnitudes_go_in_index_order():
    made = nn.Linear(10, 10, bias=False)
    nn.init.constant_(made.weight, -0.5)
    masks = prune(made, WeightThresholding(), 0.37).masks
    assert masks["weight"].flatten().tolist() == [0.0] * 37 + [1.0] * 63


@pytest.mark.parametrize("method", [WeightThresholding(), FilterThresholding()])
def test_ratio_zero_leaves_outputs_bit_identical(method):
    made = network()
    before = outputs(made)
    result = prune(made, method, 0.0)
    assert torch.equal(outputs(made), before)
    assert all(mask.all() for mask in result.masks.values())
    assert (result.achieved, result.within_tolerance) == (0.0, True)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.02, 0.7), min_size=2, max_size=5),
    st.sampled_from([WeightThresholding(), FilterThresholding(), FilterThresholding(norm="l2")]),
)
def test_cascades_are_nested_even_after_retraining(ratios, method):
    made, before = network(), {}
    for ratio in sorted(ratios):
        masks = prune(made, method, ratio).masks
        assert all((masks[name] <= before[name]).all() for name in before)
        for weight in prunable_weights(made).values():
            weight.data += torch.randn_like(weight)
        Masks(made, masks).apply()
        before = masks


def test_zeros_in_the_network_count_as_pruned_and_are_masked():
    made = network()
    made[4].weight.data[:, 3] = 0
    parameters = count(made).parameters
    result = prune(made, WeightThresholding(), 0.5)
    assert result.nonzero == parameters - round(0.5 * parameters)
    assert not result.masks["4.weight"][:, 3].any()
    weights = prunable_weights(made)
    assert all(int(result.masks[n].sum()) == int(w.count_nonzero()) for n, w in weights.items())


def test_a_reached_ratio_prunes_nothing_more_and_tells():
    made = network()
    prune(made, WeightThresholding(), 0.6)
    masks = masks_of(made)
    result = prune(made, WeightThresholding(), 0.3)
    assert all(torch.equal(result.masks[name], masks[name]) for name in masks)
    assert result.achieved == pytest.approx(0.6, abs=1e-3)
    assert not result.within_tolerance


def test_ft_by_hand():
    made = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 3, bias=False))
    made[0].weight.data = torch.tensor([[1.0, 1.0], [3.0, 0.5], [-0.1, 0.2], [0.0, 9.0]])
    made[0].bias.data = torch.tensor([1.0, 2.0, 3.0, 4.0])
    # 24 parameters, one of them 0; two of the four filters hold 2 nonzero weights each.
    result = prune(made, FilterThresholding(), 5 / 24)
    assert result.masks["0.weight"].tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    assert result.masks["1.weight"].all()
    assert made[0].bias.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (result.nonzero, result.parameters, result.within_tolerance) == (19, 24, True)


def test_ft_norms_rank_differently():
    made = nn.Sequential(nn.Linear(4, 2, bias=False), nn.Linear(2, 1))
    made[0].weight.data = torch.tensor([[1.0, 1.0, 1.0, 1.0], [3.0, 0.1, 0.1, 0.1]])
    first = FilterThresholding().scores(made, (), SOURCE)["0.weight"]
    assert torch.allclose(first, torch.tensor([4.0, 3.3]))
    second = FilterThresholding(norm="l2").scores(made, (), SOURCE)["0.weight"]
    assert torch.allclose(second, torch.tensor([2.0, 9.03**0.5]))


def test_coarse_filters_take_the_nearest_ratio_and_report_the_miss():
    made = nn.Sequential(nn.Linear(10, 4, bias=False), nn.Linear(4, 5, bias=False))
    result = prune(made, FilterThresholding(), 0.25)  # 15 of 60; a filter holds 10
    assert (result.nonzero, result.within_tolerance) == (50, False)
    assert result.requested == 0.25
    assert result.achieved == pytest.approx(1 / 6)


def test_every_layer_but_the_last_keeps_a_filter_and_the_miss_is_reported():
    made = network()
    result = prune(made, FilterThresholding(), 0.999)
    # 7 of 8 filters of 27 weights and 15 of 16 filters of 72 weights can go.
    assert result.achieved == pytest.approx((7 * 27 + 15 * 72) / result.parameters)
    assert (result.requested, result.within_tolerance) == (0.999, False)
    weights = [m for name, m in result.masks.items() if name.endswith("weight")]
    assert [int(m.flatten(1).any(1).sum()) for m in weights] == [1, 1, 10]


def test_weights_beyond_what_is_prunable_are_a_reported_miss():
    result = prune(network(), WeightThresholding(), 0.95)
    assert 0.93 < result.achieved < 0.95
    assert not result.within_tolerance


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, float("nan")])
def test_ratio_must_be_a_fraction(ratio):
    with pytest.raises(PruneError, match="expected at least 0 and below 1"):
        prune(network(), WeightThresholding(), ratio)


def test_masks_have_the_dtype_of_their_parameters():
    made = network().double()
    assert {m.dtype for m in prune(made, WeightThresholding(), 0.5).masks.values()} == {
        torch.float64
    }


def test_pruning_restores_the_mode_of_every_module():
    made = network().train()
    made[1].eval()
    prune(made, WeightThresholding(), 0.5)
    assert [m.training for m in made] == [True, False] + [True] * 7


def test_permuting_hidden_filters_permutes_the_masks():
    first = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    second = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    order = torch.tensor([3, 0, 4, 1, 2])
    second[0].weight.data = first[0].weight.data[order]
    second[0].bias.data = first[0].bias.data[order]
    second[2].weight.data = first[2].weight.data[:, order]
    second[2].bias.data = first[2].bias.data.clone()
    for method in (WeightThresholding(), FilterThresholding()):
        one, two = (prune(made, method, 0.3).masks for made in (first, second))
        assert torch.equal(one["0.weight"][order], two["0.weight"])
        assert torch.equal(one["2.weight"][:, order], two["2.weight"])


@dataclass(frozen=True, kw_only=True)
class Broken(Method):
    """Scores of a fixed kind of wrongness."""

    value: float = 0.0
    unit: ClassVar[str] = "filter"

    def scores(self, network, samples, generator):
        return {
            n: torch.full(w.shape[:1], self.value) for n, w in prunable_weights(network).items()
        }


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(PruneError, match=r"Broken: the scores of 0\.weight are not finite"):
        prune(network(), Broken(value=float("nan")), 0.5)


def test_scores_of_the_wrong_shape_are_refused():
    class Unstructured(Broken):
        unit = "weight"

    with pytest.raises(PruneError, match=r"expected scores of shape \[8, 3, 3, 3\] for 0\.weight"):
        prune(network(), Unstructured(), 0.5)


def test_a_network_without_prunable_layers_is_refused():
    with pytest.raises(PruneError, match="no prunable layer"):
        prune(nn.BatchNorm2d(4), WeightThresholding(), 0.9)


def test_masks_hold_the_bias_of_a_filter_that_is_wholly_gone():
    made = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    made[0].weight.data[1], made[0].bias.data[1], made[0].bias.data[2] = 0, 0, 0
    masks = masks_of(made)
    assert masks["0.bias"].tolist() == [1, 0, 1]
    assert masks["1.bias"].tolist() == [1, 1]
    assert list(masks) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_a_control_prunes_nothing_and_counts_as_if_it_had():
    made = network()
    before = [p.clone() for p in made.parameters()]
    result = prune(made, Reference(), 0.7)
    assert all(map(torch.equal, made.parameters(), before))
    assert (result.achieved, result.within_tolerance) == (0.7, True)
    assert result.nonzero == result.parameters


def test_what_zeros_take_with_them_is_made_up_for():
    """The budget is corrected, so that the ratio after propagation is the requested one."""
    made = nn.Sequential(
        nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 2)
    )
    made[2].weight.data[:, :5] *= 0.01  # their filters die when these weights are gone
    images = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
    samples = [(images, torch.arange(32) % 2)]
    result = prune(made, WeightThresholding(), 0.5, samples=samples)
    assert not result.masks["0.weight"][:5].any()
    assert not result.masks["0.bias"][:5].any()
    assert result.within_tolerance


@pytest.mark.parametrize("name", ["sipp", "pfp", "snip", "thinet"])
def test_methods_that_need_samples_say_so(name):
    with pytest.raises(PruneError, match="needs samples: give the data set a holdout above 0"):
        prune(network(), METHODS.create(Component(name)), 0.5)


class Attention(nn.Module):
    """Its ``out_proj`` is a linear layer whose weight is used, but that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(3, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = self.embed(x.flatten(2).mT)
        return self.head(self.attention(x, x, x)[0].mean(1))


class SelfPadding(nn.Conv2d):
    """Pads by itself, as TensorFlow's "same" does."""

    def forward(self, x):
        return super().forward(nn.functional.pad(x, (0, 1, 0, 1)))


@pytest.mark.parametrize("name", ["sipp", "pfp", "thinet"])
@pytest.mark.parametrize("own", ["attention", "padding"])
def test_layers_that_cannot_be_looked_into_are_spared_by_methods_that_must(name, own):
    torch.manual_seed(0)
    if own == "attention":
        made, weight = Attention(), "attention.out_proj.weight"
    else:
        first, second = SelfPadding(3, 6, 3), nn.Conv2d(6, 8, 3)
        pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
        made, weight = nn.Sequential(first, nn.ReLU(), second, pool), "0.weight"
    before = dict(made.named_parameters())[weight].detach().clone()
    samples = [(IMAGES, torch.tensor([0, 1, 1, 0]))]
    prune(made, METHODS.create(Component(name)), 0.3, samples=samples)
    kept = dict(made.named_parameters())[weight].detach()
    # Whole filters may go because nobody reads them any more, but nothing by a score.
    assert all(torch.equal(k, b) or not k.any() for k, b in zip(kept, before, strict=True))
    assert kept.any()


def test_frozen_weights_are_not_pruned():
    made = network()
    made[4].weight.requires_grad_(False)
    before = made[4].weight.clone()
    assert list(prunable_weights(made)) == ["0.weight", "8.weight"]
    samples = [(IMAGES, torch.tensor([0, 1, 1, 0]))]
    for name in ("wt", "ft", "pfp", "snip", "thinet"):
        prune(made, METHODS.create(Component(name)), 0.05, samples=samples)
        assert torch.equal(made[4].weight, before)
