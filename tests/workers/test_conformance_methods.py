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

NETWORKS = ("resnet8", "densenet22", "plain")
NARROW = {"resnet8": {"width": 8}, "densenet22": {"growth": 6}}
VARIANTS = {
    "ft": ({}, {"norm": "l2"}),
    "sipp": ({}, {"variant": "random"}, {"variant": "hybrid"}),
    "pfp": ({}, {"variant": "top"}, {"variant": "random"}),
}
COMPONENTS = [Component(m, o) for m in METHODS.names() for o in VARIANTS.get(m, ({},))]
CASES = [
    pytest.param(component, name, marks=() if name == "plain" else pytest.mark.slow)
    for component in COMPONENTS
    for name in NETWORKS
]
IMAGES = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SAMPLES = [(IMAGES[:4], torch.arange(4)), (IMAGES[4:], torch.arange(4, 8))]
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
        made = MODELS.create(Component(name, NARROW[name])).build(channels=3, classes=10)
    for parameter in made.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter)
    return made


def network(name: str) -> nn.Module:
    return copy.deepcopy(weights_of(name)).eval()


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize(("method", "name"), CASES, ids=str)
def test_scores_are_finite_of_the_right_shape_and_leave_the_network_alone(method, name):
    plug_in, made = METHODS.create(method), network(name)
    before = {key: value.clone() for key, value in made.state_dict().items()}
    scores = plug_in.scores(made, SAMPLES, generator())
    for parameter, weight in prunable_weights(made).items():
        shapes = {
            "weight": weight.shape,
            "filter": weight.shape[:1],
            "channel": weight.shape[1:2],
        }
        assert scores[parameter].shape == shapes[plug_in.unit]
        assert scores[parameter].isfinite().all()
        assert not scores[parameter].requires_grad
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())
    assert not any(module.training for module in made.modules())
    assert all(p.requires_grad and p.grad is None for p in made.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in made.modules())


@pytest.mark.parametrize(("method", "name"), CASES, ids=str)
def test_cascade_is_nested_and_reaches_its_ratios_or_says_so(method, name):
    plug_in, made, before = METHODS.create(method), network(name), {}
    for ratio in LADDER:
        result = prune(made, plug_in, ratio, samples=SAMPLES, generator=generator())
        masks = result.masks
        assert result.nonzero == count(made).nonzero
        if not plug_in.pretends:
            assert result.achieved == 1 - result.nonzero / result.parameters
        off = abs(result.achieved - ratio) / min(ratio, 1 - ratio)
        assert result.within_tolerance == (off < 0.005)
        assert off < (0.05 if plug_in.unit == "weight" else 0.3)
        assert all((masks[key] <= before[key]).all() for key in before)
        before = masks
        for key, parameter in made.named_parameters():
            if key in masks:
                assert torch.equal(parameter, parameter * masks[key])
    assert made(IMAGES).isfinite().all()


@pytest.mark.parametrize("method", COMPONENTS, ids=str)
def test_same_network_and_samples_give_the_same_masks(method):
    plug_in = METHODS.create(method)
    one, two = (
        prune(network("plain"), plug_in, 0.5, samples=SAMPLES, generator=generator()).masks
        for _ in range(2)
    )
    assert all(torch.equal(one[key], two[key]) for key in one)
