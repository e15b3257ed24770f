"""Linear CKA: what it is invariant to and what not, its bias, and the pairs that are compared."""

from __future__ import annotations

from math import isnan, sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.workers.probes import (
    PARENT,
    PRUNED,
    SEPARATE,
    FakeProbe,
    linear,
    normal,
    rotation,
    values,
)
from workers.inspection.centring import centred
from workers.inspection.kernel_alignment import alignment, unbiased_product
from workers.measures.cka import Cka

SUBJECTS = (PARENT, PRUNED, SEPARATE)


def cka(x: Tensor, y: Tensor, *, debiased: bool = False) -> float:
    return alignment(centred(x), centred(y), debiased=debiased)


@given(st.integers(0, 10**6), st.integers(1, 12), st.floats(0.01, 100), st.booleans())
def test_a_rotation_a_factor_and_an_offset_change_nothing(seed, neurons, factor, debiased):
    x = normal(100, neurons, seed=seed) * torch.linspace(1, 3, neurons)
    turned = factor * x @ rotation(neurons, seed) + 5
    assert cka(x, turned, debiased=debiased) == pytest.approx(1, abs=1e-4)


def test_a_general_linear_map_changes_it():
    """For white x it is known: (tr G)² / (n tr G²) under a root, with G the Gram matrix."""
    drawn, mixed = normal(2000, 10).double(), normal(10, 10, seed=1).double()
    white = torch.linalg.qr(drawn - drawn.mean(0))[0]
    gram = mixed @ mixed.mT
    expected = float(gram.trace() / sqrt(10) / gram.norm())
    assert cka(white, white @ mixed) == pytest.approx(expected, abs=1e-9)
    assert 0.5 < expected < 0.9


def test_independent_layers_are_biased_by_neurons_per_row():
    """E‖XᵀY‖² = n · 10 · 10 and ‖XᵀX‖² = 10 n² but for chance: 10 / n."""
    x, y = normal(10_000, 10), normal(10_000, 10, seed=1)
    assert cka(x, y) == pytest.approx(1e-3, abs=3e-4)
    assert cka(x, y, debiased=True) == pytest.approx(0, abs=3e-4)


def test_the_estimate_is_unbiased_where_the_plain_one_is_far_off():
    pairs = [(normal(20, 15, seed=s), normal(20, 15, seed=s + 1000)) for s in range(200)]
    plain, debiased = (
        torch.tensor([cka(x, y, debiased=one) for x, y in pairs]) for one in (False, True)
    )
    assert plain.mean() > 0.4
    assert abs(float(debiased.mean())) < 4 * float(debiased.std()) / sqrt(200)


def unbiased_hsic(x: Tensor, y: Tensor) -> float:
    """Compute HSIC₁ as Song et al. write it, with kernels of rows × rows."""
    n = len(x)
    k, l = (rows @ rows.mT for rows in (x, y))  # noqa: E741
    k.fill_diagonal_(0)
    l.fill_diagonal_(0)
    trace = (k @ l).trace()
    means = k.sum() * l.sum() / ((n - 1) * (n - 2))
    return float((trace + means - 2 / (n - 2) * (k @ l).sum()) / (n * (n - 3)))


@given(st.integers(0, 10**6), st.integers(4, 30), st.integers(1, 8))
def test_the_product_without_kernels_is_that_with_kernels(seed, rows, neurons):
    x = normal(rows, neurons, seed=seed).double() + 3
    y = x**2 + normal(rows, neurons, seed=seed + 1).double()
    expected = unbiased_hsic(x, y) * rows * (rows - 3)
    scale = float(centred(x).norm() * centred(y).norm()) ** 2
    assert unbiased_product(centred(x), centred(y)) == pytest.approx(expected, abs=1e-9 * scale)


@pytest.mark.parametrize("debiased", [True, False])
def test_constant_neurons_count_nothing_and_a_constant_layer_has_none(debiased):
    x, y = normal(300, 5), normal(300, 4, seed=1) + normal(300, 1)
    dead = torch.cat([x, torch.zeros(300, 2), torch.full((300, 1), 0.3)], dim=1)
    assert cka(dead, y, debiased=debiased) == pytest.approx(cka(x, y, debiased=debiased))
    assert isnan(cka(torch.full((300, 5), 0.3), y, debiased=debiased))
    assert isnan(cka(torch.zeros(300, 5), torch.zeros(300, 5), debiased=debiased))


def test_three_rows_allow_no_unbiased_estimate():
    assert isnan(cka(normal(3, 5), normal(3, 5), debiased=True))
    assert cka(normal(3, 5), normal(3, 5)) == pytest.approx(1)


def perceptron(first: Tensor, second: Tensor) -> nn.Module:
    return nn.Sequential(nn.Flatten(), linear(first), linear(second))


def test_every_layer_is_compared_with_both_dense_networks():
    first, second, turn = normal(6, 4), normal(3, 6, seed=1), rotation(6)
    made = {
        "parent": perceptron(first, second),
        "pruned": perceptron(turn @ first, second @ turn.mT),
        "separate": perceptron(normal(6, 4, seed=2), normal(3, 6, seed=3)),
    }
    probe = FakeProbe(made, normal(200, 1, 2, 2))
    readings = list(Cka().measure(SUBJECTS, probe))
    pairs = [(one.subject, one.against, one.part) for one in readings]
    assert pairs == [(s, a, part) for s, a in ((2, 0), (1, 0), (1, 2)) for part in ("1", "2")]
    to_parent = values([r for r in readings if r.against == 0], "cka", 1)
    assert to_parent == pytest.approx({"1": 1, "2": 1}, abs=1e-5)
    floor = values(readings, "cka", 2)
    assert values([r for r in readings if r.against == 2], "cka", 1) == pytest.approx(
        floor, abs=1e-5
    )
    assert all(value < 0.95 for value in floor.values())


def test_without_a_separate_network_the_parent_is_left():
    made = {"parent": perceptron(normal(6, 4), normal(3, 6))}
    made["pruned"] = made["parent"]
    readings = list(Cka().measure(SUBJECTS[:2], FakeProbe(made, normal(50, 1, 2, 2))))
    assert [(one.subject, one.against) for one in readings] == [(1, 0), (1, 0)]


def test_impossible_options_are_refused_and_the_cost_is_one_pass_per_image():
    with pytest.raises(ValueError, match="expected at least 1 image, found 0"):
        Cka(images=0)
    assert Cka(images=30).passes(5) == 150
