"""Poisson draws against the distribution, level by level."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from workers.corruptions.poisson import poisson

COUNT = 400_000


def draws(level: int, photons: int, seed: int = 0) -> torch.Tensor:
    levels = torch.full((COUNT // 400, 1, 20, 20), level, dtype=torch.int32)
    return poisson(levels, photons, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("photons", [500, 250, 75, 60, 12, 3])
@pytest.mark.parametrize("level", [1, 17, 128, 255])
def test_counts_are_poisson(photons, level):
    counts = draws(level, photons).flatten().numpy()
    mean = level * photons / 255
    assert np.array_equal(counts, counts.round())
    seen = np.bincount(counts.astype(int), minlength=int(2 * photons + 40))
    distance = np.abs(seen.cumsum() / COUNT - stats.poisson.cdf(np.arange(len(seen)), mean)).max()
    # Kolmogorov: beyond 2.5 / sqrt(n) by chance once in a hundred thousand.
    assert distance < 2.5 / COUNT**0.5


def test_no_light_no_photons():
    assert not draws(0, 500).any()


def test_every_pixel_has_the_mean_of_its_level_and_its_own_draw():
    levels = torch.arange(256, dtype=torch.int32).repeat(2000, 1)
    counts = poisson(levels, 100, torch.Generator().manual_seed(1))
    error = counts.mean(0) - levels[0] * 100 / 255
    assert (error.abs() <= 5 * (levels[0] * 100 / 255 / 2000).sqrt() + 1e-9).all()
    correlation = np.corrcoef(counts[:, 200], counts[:, 201])[0, 1]
    assert abs(correlation) < 5 / 2000**0.5


def test_draws_follow_the_seed():
    assert torch.equal(draws(90, 75, seed=3), draws(90, 75, seed=3))
    assert not torch.equal(draws(90, 75, seed=3), draws(90, 75, seed=4))
