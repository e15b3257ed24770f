"""The shared motion blur: kernels by hand, edges, angles."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.corruptions.motion import motion_blur


def dot(height: int, width: int, row: int, column: int) -> torch.Tensor:
    image = torch.zeros(1, 1, height, width)
    image[0, 0, row, column] = 1
    return image


def test_kernel_is_one_sided_and_gaussian():
    blurred = motion_blur(dot(3, 9, 1, 6), 1, 2.0, torch.tensor([0.0]))[0, 0]
    taps = [math.exp(-(t**2) / 8) for t in range(3)]
    # A pixel reads to its right, so the dot smears to its left.
    expected = [tap / sum(taps) for tap in reversed(taps)]
    assert blurred[1].tolist() == pytest.approx([0, 0, 0, 0, *expected, 0, 0])
    assert blurred[[0, 2]].count_nonzero() == 0


@pytest.mark.parametrize(
    ("angle", "places"),
    [
        (90, [(4, 4), (3, 4), (2, 4)]),
        (180, [(4, 4), (4, 5), (4, 6)]),
        (-90, [(4, 4), (5, 4), (6, 4)]),
        (-45, [(4, 4), (5, 3)]),  # two steps at 45° are 1.41 pixels, nearest to one
        (30, [(4, 4), (4, 3), (3, 2)]),
    ],
)
def test_angles(angle, places):
    blurred = motion_blur(dot(9, 9, 4, 4), 1, 1.0, torch.tensor([float(angle)]))[0, 0]
    assert sorted(map(tuple, blurred.nonzero().tolist())) == sorted(places)


def test_every_image_has_its_own_angle():
    images = torch.rand(3, 2, 8, 11, generator=torch.Generator().manual_seed(0))
    angles = torch.tensor([10.0, -80.0, 200.0])
    together = motion_blur(images, 4, 2.0, angles)
    for image, angle, blurred in zip(images, angles, together, strict=True):
        alone = motion_blur(image[None], 4, 2.0, angle[None])
        assert torch.allclose(alone[0], blurred)


def test_edge_pixels_repeat_however_long_the_kernel():
    image = torch.tensor([1.0, 0.0, 0.0, 0.5]).view(1, 1, 1, 4)
    blurred = motion_blur(image, 20, 1000.0, torch.tensor([0.0]))[0, 0, 0]
    # 41 taps of all but equal weight, of which the last pixel fills 38 and more.
    assert blurred.tolist() == pytest.approx([20 / 41, 19.5 / 41, 20 / 41, 0.5], abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12), st.floats(0.5, 9), st.floats(-360, 360), st.integers(0, 99))
def test_values_stay_in_range(radius, sigma, angle, seed):
    images = torch.rand(1, 1, 6, 7, generator=torch.Generator().manual_seed(seed)).double()
    blurred = motion_blur(images, radius, sigma, torch.tensor([angle]))
    assert blurred.min() >= images.min() - 1e-12
    assert blurred.max() <= images.max() + 1e-12
    flat = torch.full((1, 1, 6, 7), 0.3)
    assert torch.allclose(motion_blur(flat, radius, sigma, torch.tensor([angle])), flat)
