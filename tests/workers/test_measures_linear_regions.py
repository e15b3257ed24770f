"""The bound on linear regions: by hand, and as the paper's figure 2 shows it."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.workers.probes import PARENT, PRUNED, FakeProbe
from workers.contracts import PermanentError
from workers.inspection.linear_regions import log2_regions
from workers.inspection.random_rank import analytic_ranks, rank_of, sampled_ranks
from workers.measures.linear_regions import LinearRegions
from workers.models.lenet300_100 import LeNet300x100
from workers.models.resnet8 import ResNet8

BINOMIALS = ("theorem", "rank")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def regions(widths: list[int], densities: list[float], binomial: str = "theorem") -> float:
    """Return the bound itself, with ranks by rows that are not empty."""
    layers = zip(widths[1:], widths[:-1], densities, strict=True)
    return 2 ** log2_regions(widths, [analytic_ranks(*layer) for layer in layers], binomial)


@pytest.mark.parametrize("binomial", BINOMIALS)
@pytest.mark.parametrize(
    ("widths", "densities", "bound"),
    [
        ([1, 1], [1], 2),
        ([1, 1], [0.5], 1.5),
        ([2, 2, 2], [1, 1], 11),
        ([2, 2, 2], [1, 0], 4),
        ([2, 2, 2], [0, 1], 1),
        ([2, 3], [0], 1),
    ],
)
def test_bounds_by_hand(widths, densities, bound, binomial):
    assert regions(widths, densities, binomial) == pytest.approx(bound)


def test_three_lines_cut_a_plane_into_seven():
    """By the theorem 1 + 3 + 3; of the two that the rank is, 1 + 2 + 1."""
    assert regions([2, 3], [1]) == pytest.approx(7)
    assert regions([2, 3], [1], "rank") == pytest.approx(4)


@pytest.mark.parametrize(("dimensions", "expected"), [(1, 12.24), (2, 21.25), (4, 33.79)])
@pytest.mark.parametrize("binomial", BINOMIALS)
def test_a_dense_network_is_where_figure_2_begins(binomial, dimensions, expected):
    """MNIST, two hidden layers of 20 units, and the output layer."""
    widths = [784, 20, 20, 10]
    ranks = [analytic_ranks(*shape, 1) for shape in ((20, 784), (20, 20), (10, 20))]
    assert log2_regions(widths, ranks, binomial, dimensions) == pytest.approx(expected, abs=0.005)


FIGURE_2 = {0.5: 12.24, 0.25: 12.24, 0.1: 11.94, 0.05: 11.46, 0.025: 10.84, 0.01: 9.9, 0.005: 9.06}


@pytest.mark.parametrize(("density", "expected"), FIGURE_2.items())
def test_with_the_rank_it_falls_as_in_figure_2(density, expected):
    """On a line; the output layer is dense."""
    generator = seeded()
    hidden = [sampled_ranks(20, inputs, density, generator) for inputs in (784, 20)]
    ranks = [*hidden, analytic_ranks(10, 20, 1)]
    assert log2_regions([784, 20, 20, 10], ranks, "rank", 1) == pytest.approx(expected, abs=0.15)
    assert log2_regions([784, 20, 20, 10], ranks, "theorem", 1) > 12


def test_large_networks_do_not_overflow():
    """784 dimensions and 2000 units: the units' subsets of up to 784."""
    found = log2_regions([784, 2000], [analytic_ranks(2000, 784, 1)], "theorem")
    assert 1000 < found < 2000


@given(st.integers(1, 5), st.integers(1, 5), st.floats(0.05, 0.95), st.integers(0, 100))
@settings(max_examples=25)
def test_ranks_are_distributions_and_the_analytic_one_is_at_least_as_high(a, b, density, seed):
    sampled, analytic = sampled_ranks(a, b, density, seeded(seed)), analytic_ranks(a, b, density)
    for found in (sampled, analytic):
        assert len(found) == min(a, b) + 1
        assert found.sum() == pytest.approx(1)
    order = np.arange(len(sampled))
    assert sampled @ order <= analytic @ order + 0.5


def test_sampled_ranks_are_those_of_matrices_with_random_entries():
    generator, drawn = seeded(5), seeded(5)
    found = sampled_ranks(12, 9, 0.15, generator)
    masks = [torch.rand(12, 9, generator=drawn) < 0.15 for _ in range(50)]
    ranks = [int(torch.linalg.matrix_rank(m * torch.randn(m.shape).double())) for m in masks]
    # It went on until there were 50 for each rank in between.
    count = 50 * (np.flatnonzero(found).max() - np.flatnonzero(found).min() + 1)
    assert found @ np.arange(10) == pytest.approx(np.mean(ranks), abs=0.5)
    assert np.allclose(found * count, (found * count).round())


def test_a_1_by_1_weight_is_there_or_not():
    assert sampled_ranks(1, 1, 0.5, seeded()) == pytest.approx([0.5, 0.5], abs=0.2)
    assert analytic_ranks(1, 1, 0.5) == pytest.approx([0.5, 0.5])
    assert analytic_ranks(7, 3, 0.0) == pytest.approx([1, 0, 0, 0])
    assert sampled_ranks(7, 3, 0.0, seeded()) == pytest.approx([1, 0, 0, 0])
    assert sampled_ranks(7, 3, 1.0, seeded()) == pytest.approx([0, 0, 0, 1])


def test_the_rank_of_a_mask_is_the_largest_one_that_its_entries_allow():
    """Entries on a cross share one row and one column; a filter that is pruned is a row less."""
    cross = torch.zeros(4, 5)
    cross[1], cross[:, 2] = 2.0, -1.0
    assert rank_of(cross).argmax() == 2
    full = torch.ones(4, 5)
    full[3] = 0
    assert rank_of(full).tolist() == [0, 0, 0, 1, 0]


def perceptron() -> nn.Module:
    return LeNet300x100(size=8).build(channels=1, classes=10)


def test_densities_are_read_off_the_weights_and_lower_the_bound():
    pruned = perceptron()
    pruned.layers[0].weight.data.view(-1)[: 300 * 64 // 4] = 0
    pruned.layers[2].weight.data[:] = 0
    probe = FakeProbe({"parent": perceptron(), "pruned": pruned})
    measure = LinearRegions(ranks="analytic")
    readings = list(measure.measure([PARENT, PRUNED], probe))
    density = {(r.subject, r.part): r.value for r in readings if r.quantity == "density"}
    names = ("layers.0", "layers.1", "layers.2")
    assert density == {
        (subject, name): value
        for subject, found in enumerate([(1, 1, 1), (0.75, 1, 0)])
        for name, value in zip(names, found, strict=True)
    }
    bound = {r.subject: r.value for r in readings if r.quantity == "log2_regions"}
    dense = [analytic_ranks(*shape, 1) for shape in ((300, 64), (100, 300), (10, 100))]
    assert bound[0] == log2_regions([64, 300, 100, 10], dense, "theorem")
    assert bound[1] == pytest.approx(log2_regions([64, 300, 100], dense[:2], "theorem"))


def test_options_choose_the_bound():
    widths = [4, 3, 2]
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    probe = FakeProbe({"parent": network})

    def bound(**options: object) -> float:
        *_, last = LinearRegions(**options).measure([PARENT], probe)  # type: ignore[arg-type]
        return last.value

    ranks = [analytic_ranks(3, 4, 1), analytic_ranks(2, 3, 1)]
    assert bound() == log2_regions(widths, ranks, "theorem")
    assert bound(binomial="rank") == log2_regions(widths, ranks, "rank")
    network[1].weight.data[0] = 0
    fewer = [analytic_ranks(2, 4, 1), ranks[1]]
    assert bound(ranks="mask") < bound()
    assert bound(ranks="mask", binomial="rank") == log2_regions([4, 2, 2], fewer, "rank")
    network[1].weight.data[0] = 1
    # A line: 4 pieces, of which each unit of the second layer bends every one.
    assert bound(dimensions=1) == pytest.approx(log2(4 * 3))
    with pytest.raises(ValueError, match="expected at least 1 dimension, found 0"):
        LinearRegions(dimensions=0)


@pytest.mark.parametrize(
    ("network", "found"),
    [
        (ResNet8(width=4).build(channels=1, classes=10), "Conv2d 'conv'"),
        (nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 2)), "'1' with 4 inputs"),
        (nn.ReLU(), "none"),
    ],
)
def test_what_is_no_perceptron_is_refused(network, found):
    probe = FakeProbe({"parent": network})
    with pytest.raises(PermanentError, match=f"needs linear layers alone.*found {found}"):
        list(LinearRegions().measure([PARENT], probe))


def test_no_image_is_needed():
    assert LinearRegions().passes(9) == 0
