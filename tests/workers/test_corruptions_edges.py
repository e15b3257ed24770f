"""Edges, distances and relief by hand."""

from __future__ import annotations

import torch

from workers.corruptions.edges import FAR, UNIT, canny, distance
from workers.corruptions.relief import equalised, relief


def test_distances_by_hand():
    edges = torch.zeros(2, 4, 5, dtype=torch.bool)
    edges[0, 0, 0] = True
    measured = distance(edges)
    expected = [
        [0, 1, 2, 3, 4],
        [1, 1.4, 2.1969, 3.1969, 4.1969],
        [2, 2.1969, 2.8, 3.5969, 4.3938],
        [3, 3.1969, 3.5969, 4.2, 4.9969],
    ]
    assert (measured[0] - torch.tensor(expected) * UNIT).abs().max() < 0.01
    assert (measured[1] == FAR).all()


def test_distance_does_not_depend_on_direction():
    edges = torch.rand(20, 12, 17, generator=torch.Generator().manual_seed(0)) < 0.03
    measured = distance(edges)
    assert torch.equal(distance(edges.flip(1)).flip(1), measured)
    assert torch.equal(distance(edges.flip(2)).flip(2), measured)
    assert torch.equal(distance(edges.mT).mT, measured)


def test_canny_thins_a_step_to_one_line():
    levels = torch.zeros(1, 6, 8, dtype=torch.int32)
    levels[:, :, 4:] = 100
    # Columns 3 and 4 see the same gradient; the first of equals stays.
    assert canny(levels, 50, 150)[0].nonzero()[:, 1].tolist() == [3] * 6


def test_canny_keeps_weak_edges_that_touch_strong_ones():
    levels = torch.zeros(1, 12, 8, dtype=torch.int32)
    # A step of 20 to 64: its gradient, four times that, is weak in the first rows.
    levels[0, :, 4:] = 20 + 4 * torch.arange(12, dtype=torch.int32)[:, None]
    assert canny(levels, 50, 150)[0].any(dim=1).all()
    assert not canny(levels[:, :3], 50, 150).any()
    assert canny(levels[:, :3], 50, 100)[0].any(dim=1).all()


def test_equalised_by_hand():
    levels = torch.tensor([[[3, 3, 5], [7, 7, 7]], [[4, 4, 4], [4, 4, 4]]], dtype=torch.int32)
    # Above the lowest level lie 4 pixels: one at 5, three at 7.
    expected = [[[0, 0, 64], [255, 255, 255]], [[4, 4, 4], [4, 4, 4]]]
    assert equalised(levels).tolist() == expected


def test_relief_of_an_even_liquid_is_its_cut_distance():
    levels = torch.full((1, 8, 8), 200, dtype=torch.int32)
    # No edge: all distances are cut to 20, and the embossing's taps add up to 1.
    assert (relief(levels) == 20).all()
