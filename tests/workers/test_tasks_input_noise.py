"""Noise on the normalised input: its distribution, and that nothing is clipped."""

from __future__ import annotations

import pytest
import torch

from workers.tasks.gaussian_input_noise import GaussianInputNoise
from workers.tasks.uniform_input_noise import UniformInputNoise

BATCH = torch.full((100, 3, 50, 50), 2.5)


def noise(task):
    return (task.perturb(BATCH, torch.Generator().manual_seed(1)) - BATCH).double()


def test_uniform_noise_fills_the_ball():
    drawn = noise(UniformInputNoise(level=0.3))
    assert drawn.abs().max() <= 0.3 + 1e-6
    assert drawn.abs().max() > 0.2999
    assert drawn.var().item() == pytest.approx(0.3**2 / 3, rel=0.01)
    assert abs(drawn.mean().item()) < 1e-3


def test_gaussian_noise_has_its_deviation():
    drawn = noise(GaussianInputNoise(level=0.3))
    assert drawn.std().item() == pytest.approx(0.3, rel=0.01)
    assert drawn.abs().max() > 1.2
    assert abs(drawn.mean().item()) < 2e-3


@pytest.mark.parametrize("kind", [UniformInputNoise, GaussianInputNoise])
def test_level_zero_changes_nothing(kind):
    assert torch.equal(kind(level=0.0).perturb(BATCH, torch.Generator()), BATCH)


@pytest.mark.parametrize("kind", [UniformInputNoise, GaussianInputNoise])
@pytest.mark.parametrize("level", [-0.1, float("nan")])
def test_level_must_not_be_negative(kind, level):
    with pytest.raises(ValueError, match="at least 0"):
        kind(level=level)
