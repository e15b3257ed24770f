"""Saturation against the standard library's HSV, and by hand."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from workers.tasks.saturate import FACTOR_AND_ADDEND, Saturate


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("table", ["cifar", "imagenet"])
def test_saturate_equals_colorsys(table, severity):
    colours = np.random.default_rng(7).integers(0, 256, (400, 3))
    colours[:4] = [[0, 0, 0], [255, 255, 255], [80, 80, 80], [0, 9, 0]]
    pixels = torch.from_numpy(colours).float().view(20, 20, 3).permute(2, 0, 1)[None] / 255
    corrupted = Saturate(severity=severity, severities=table).corrupt(pixels, torch.Generator())
    factor, addend = FACTOR_AND_ADDEND[table][severity - 1]
    ours = corrupted[0].permute(1, 2, 0).reshape(-1, 3).tolist()
    for before, after in zip(colours / 255, ours, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        raised = min(saturation * factor + addend, 1)
        assert after == pytest.approx(colorsys.hsv_to_rgb(hue, raised, value), abs=2e-6)


def test_saturate_by_hand():
    pixels = torch.tensor([0.8, 0.6, 0.4]).view(1, 3, 1, 1)  # V = 0.8, S = 0.5
    greyish = Saturate(severity=2).corrupt(pixels, torch.Generator()).flatten()
    assert torch.allclose(greyish, torch.tensor([0.8, 0.78, 0.76]))
    gaudy = Saturate(severity=3).corrupt(pixels, torch.Generator()).flatten()
    assert torch.allclose(gaudy, torch.tensor([0.8, 0.5, 0.2]))
    one = torch.rand(2, 1, 8, 8, generator=torch.Generator())
    assert torch.equal(Saturate(severity=5).corrupt(one, torch.Generator()), one)
