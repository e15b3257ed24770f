"""Batched filters and sampling against SciPy, at any size, borders included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve as scipy_convolve
from scipy.ndimage import gaussian_filter as scipy_gaussian_filter
from scipy.ndimage import map_coordinates

from workers.corruptions.convolution import convolve
from workers.corruptions.gaussian_filter import gaussian_filter
from workers.corruptions.interpolation import interpolate
from workers.corruptions.separable import filter_lines, filter_matrix
from workers.corruptions.zoom import clipped_zoom, mean_zoom

SIZES = st.integers(2, 40)
SEEDS = st.integers(0, 99)


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, st.sampled_from([0.05, 0.6, 2.0, 7.0]), st.sampled_from([3.0, 4.0]), SEEDS)
@example(100, 65, 2.0, 4.0, 0)  # large, which is filtered in bands
@example(65, 130, 60.0, 3.0, 0)
@pytest.mark.parametrize("edge", ["nearest", "reflect"])
def test_gaussian_filter_equals_scipy(edge, height, width, deviation, truncate, seed):
    images = np.random.default_rng(seed).random((2, 3, height, width))
    deviations = (deviation, deviation / 2)
    ours = gaussian_filter(torch.from_numpy(images), deviations, edge, truncate)
    expected = scipy_gaussian_filter(images, (0, 0, *deviations), mode=edge, truncate=truncate)
    assert np.abs(ours.numpy() - expected).max() < 1e-12


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, st.sampled_from([1, 3, 5, 17, 21]), SEEDS)
@example(100, 65, 21, 0)
def test_convolution_equals_scipy_even_with_a_kernel_beyond_the_image(height, width, size, seed):
    draw = np.random.default_rng(seed)
    images, kernel = draw.random((2, 3, height, width)), draw.random((size, size))
    expected = scipy_convolve(images, kernel[None, None], mode="mirror")
    ours = convolve(torch.from_numpy(images), kernel).numpy()
    assert np.abs(ours - expected).max() < 1e-10


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, SEEDS)
@pytest.mark.parametrize("border", ["mirror", "reflect"])
def test_sampling_equals_scipy_far_outside_the_image(border, height, width, seed):
    draw = np.random.default_rng(seed)
    images = draw.random((2, 3, height, width))
    rows, columns = draw.uniform(-90, 90, (2, 2, 4, 5))
    ours = interpolate(
        torch.from_numpy(images), torch.from_numpy(rows), torch.from_numpy(columns), border
    )
    for image, read, row, column in zip(images, ours.numpy(), rows, columns, strict=True):
        for channel, made in zip(image, read, strict=True):
            expected = map_coordinates(channel, [row, column], order=1, mode=border)
            assert np.abs(made - expected).max() < 1e-10


@pytest.mark.parametrize(("height", "width"), [(9, 14), (32, 32), (64, 64), (65, 70)])
def test_mean_zoom_is_the_mean_of_zooms(height, width):
    images = torch.from_numpy(np.random.default_rng(0).random((2, 3, height, width)))
    factors = (1.0, 1.07, 1.3, 1.31)
    expected = torch.stack([clipped_zoom(images, factor) for factor in factors]).mean(0)
    assert (mean_zoom(images, factors) - expected).abs().max() < 1e-12


def test_zoom_by_hand():
    line = torch.tensor([[0.0, 1.0, 2.0, 4.0]]).expand(4, 4)
    # The middle two pixels, 1 and 2, become four: first on first, last on last.
    expected = torch.tensor([1, 4 / 3, 5 / 3, 2]).expand(4, 4)
    assert torch.allclose(clipped_zoom(line, 2.0), expected)


def test_filters_along_rows_and_columns_by_hand():
    taps = np.array([1.0, 0.0, 0.0])  # reads the pixel before
    matrices = {edge: filter_matrix(3, taps, edge) for edge in ("nearest", "reflect", "mirror")}
    image = torch.tensor([[1.0, 2.0, 3.0]]).expand(3, 3)
    identity = np.eye(3)
    for edge, first in (("nearest", 1.0), ("reflect", 1.0), ("mirror", 2.0)):
        moved = filter_lines(image, identity, matrices[edge])
        assert moved[0].tolist() == [first, 1.0, 2.0]
        assert torch.equal(filter_lines(image.T, matrices[edge], identity), moved.T)


def test_sampling_by_hand():
    image = torch.tensor([[0.0, 1.0], [2.0, 3.0]]).view(1, 1, 2, 2)
    rows, columns = torch.tensor([[0.5], [1.0]]), torch.tensor([0.5, 1.0, 1.25])
    # Past the last column, "mirror" turns back towards the first and "reflect" stays.
    mirrored, reflected = (
        interpolate(image, rows, columns, b)[0, 0] for b in ("mirror", "reflect")
    )
    assert torch.allclose(mirrored, torch.tensor([[1.5, 2.0, 1.75], [2.5, 3.0, 2.75]]))
    assert torch.allclose(reflected, torch.tensor([[1.5, 2.0, 2.0], [2.5, 3.0, 3.0]]))
