"""The drawn frost: colours, contrast, seams."""

from __future__ import annotations

import numpy as np
import pytest

from workers.corruptions.frost_textures import PANES, SIZE, frost_crops, frost_textures


def test_textures_are_drawn_once():
    assert frost_textures() is frost_textures()
    assert frost_textures().shape == (len(PANES), SIZE, SIZE, 3)


@pytest.mark.parametrize("index", range(len(PANES)))
def test_texture_has_its_colour_and_contrast(index):
    levels, pane = frost_textures()[index].astype(float), PANES[index]
    # Truncation takes half a level, clipping some contrast.
    assert levels.mean((0, 1)) == pytest.approx(np.array(pane.colour) - 0.5, abs=1.5)
    assert levels.std((0, 1)) == pytest.approx(pane.contrast, rel=0.05)


@pytest.mark.parametrize("axis", [0, 1])
def test_textures_have_no_seams(axis):
    levels = np.moveaxis(frost_textures().astype(float), 1 + axis, 0)
    steps = np.abs(levels - np.roll(levels, 1, 0)).mean((1, 2, 3))
    assert steps[0] < steps[1:].mean() + 5 * steps[1:].std()


def test_feathers_run_in_all_directions():
    grey = frost_textures().mean(3)
    down, right = (np.diff(grey, axis=axis).std() for axis in (1, 2))
    assert down == pytest.approx(right, rel=0.1)


@pytest.mark.parametrize(("stride", "height", "width"), [(1, 30, 40), (5, 32, 32), (5, 300, 20)])
def test_crops_repeat_the_texture(stride, height, width):
    crops = frost_crops(stride, height, width)
    taken = frost_textures()[3, stride // 2 :: stride, stride // 2 :: stride]
    side = SIZE // stride
    assert crops.shape == (len(PANES), side, side, 3, height, width)
    rows, columns = (side - 2 + np.arange(height)) % side, (7 + np.arange(width)) % side
    expected = taken[rows][:, columns].transpose(2, 0, 1)
    assert np.array_equal(crops[3, side - 2, 7].numpy(), expected)
