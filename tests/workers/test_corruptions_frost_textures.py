"""The drawn frost: colours, contrast, seams."""

from __future__ import annotations

import numpy as np
import pytest

from workers.corruptions.frost_textures import PANES, SIZE, frost_textures


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
