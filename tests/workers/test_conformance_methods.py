"""What every registered pruning method promises, on every small registered network."""

from __future__ import annotations

import copy
import functools

import pytest
import torch
from torch import nn

from workers.contracts import Component
from workers.pruning.prunable import count, prunable_weights
from workers.pruning.prune import prune
from workers.registry import METHODS, MODELS

NETWORKS = [n for n in ("resnet8", "resnet20", "vgg_small") if n in MODELS.names()] + ["plain"]
CASES = [(method, name) for method in METHODS.names() for name in NETWORKS]
SAMPLES = [torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(s)) for s in (0, 1)]
LADDER = (0.3, 0.5, 0.7)


@functools.cache
def weights_of(name: str) -> nn.Module:
    """Make a network that stands for a trained one: no parameter is exactly 0."""
    torch.manual_seed(1)
    if name == "plain":
        made: nn.Module = nn.Sequential(
            nn.Conv2d(3, 12, 3),
            nn.ReLU(),
            nn.Conv2d(12, 24, 3),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(24, 10),
        )
    else:
        made = MODELS.create(Component(name)).build(channels=3, classes=10)
    for parameter in made.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter)
    return made


def network(name: str) -> nn.Module:
    return copy.deepcopy(weights_of(name)).eval()


def samples(method):
    return SAMPLES if method.needs_samples else ()


@pytest.mark.parametrize(("method", "name"), CASES)
def test_scores_are_finite_of_the_right_shape_and_leave_the_network_alone(method, name):
    plug_in, made = METHODS.create(Component(method)), network(name)
    before = {key: value.clone() for key, value in made.state_dict().items()}
    scores = plug_in.scores(made, samples(plug_in))
    for parameter, weight in prunable_weights(made).items():
        expected = weight.shape[:1] if plug_in.structured else weight.shape
        assert scores[parameter].shape == expected
        assert scores[parameter].isfinite().all()
        assert not scores[parameter].requires_grad
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())
    assert not any(module.training for module in made.modules())
    assert all(p.requires_grad and p.grad is None for p in made.parameters())


@pytest.mark.parametrize(("method", "name"), CASES)
def test_cascade_is_nested_and_reaches_its_ratios_or_says_so(method, name):
    plug_in, made, before = METHODS.create(Component(method)), network(name), {}
    for ratio in LADDER:
        result = prune(made, plug_in, ratio, samples=samples(plug_in))
        masks = result.masks
        assert result.nonzero == count(made).nonzero
        assert result.achieved == 1 - result.nonzero / result.parameters
        off = abs((1 - result.achieved) - (1 - ratio)) / (1 - ratio)
        assert result.within_tolerance == (off < 0.005)
        assert result.within_tolerance or plug_in.structured
        assert off < 0.2
        assert all((masks[key] <= before[key]).all() for key in before)
        before = masks
        for key, weight in prunable_weights(made).items():
            assert torch.equal(weight, weight * masks[key])
    assert made(SAMPLES[0]).isfinite().all()


@pytest.mark.parametrize("method", METHODS.names())
def test_same_network_and_samples_give_the_same_masks(method):
    plug_in = METHODS.create(Component(method))
    one, two = (
        prune(network(NETWORKS[0]), plug_in, 0.5, samples=samples(plug_in)).masks for _ in range(2)
    )
    assert all(torch.equal(one[key], two[key]) for key in one)
