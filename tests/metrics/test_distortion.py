from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from orchestrator.metrics.distortion import (
    pooled_alpha,
    recall_balance,
    recall_distortion,
    slope_through_origin,
    slope_with_intercept,
)

Labels = NDArray[np.int64]


def predictions(label: Labels, right: list[int]) -> Labels:
    """Predict the first so many examples of each class rightly, and others as the next class."""
    rank = np.array([np.sum(label[:i] == c) for i, c in enumerate(label)])
    hit = rank < np.array(right)[label]
    return np.where(hit, label, (label + 1) % len(right))


def test_the_example_of_the_paper() -> None:
    label = np.repeat([0, 1], 10)
    found = recall_distortion(label, predictions(label, [9, 7]), predictions(label, [7, 5]), 2)
    assert found.alpha == pytest.approx(4 / 3, abs=1e-12)
    assert found.alpha_with_intercept == pytest.approx(4 / 3, abs=1e-12)
    assert (found.accuracy, found.pruned_accuracy) == (0.8, 0.6)
    assert found.balance == pytest.approx([1 / 8, -1 / 8])
    assert found.pruned_balance == pytest.approx([1 / 6, -1 / 6])
    assert found.balanced


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_pruning_nothing_distorts_nothing(pairs: list[tuple[int, int]]) -> None:
    label, predicted = np.array(pairs).T
    found = recall_distortion(label, predicted, predicted, 4)
    squares = np.nansum(found.balance**2)
    assert found.alpha == 1 if squares >= 1e-12 else np.isnan(found.alpha)
    assert np.isnan(found.alpha_with_intercept) or found.alpha_with_intercept == 1


@given(st.lists(st.integers(0, 10), min_size=2, max_size=8))
def test_on_a_balanced_test_set_the_balances_sum_to_0(right: list[int]) -> None:
    label = np.repeat(np.arange(len(right)), 10)
    recall, accuracy = np.array(right) / 10, np.mean(right) / 10
    if accuracy:
        assert recall_balance(recall, accuracy).sum() == pytest.approx(0, abs=1e-9)
    found = recall_distortion(label, predictions(label, right), label, len(right))
    assert found.balanced


def test_an_unbalanced_test_set_is_told_and_its_two_slopes_differ() -> None:
    label = np.repeat([0, 1, 2], [10, 30, 10])
    dense, pruned = predictions(label, [9, 15, 8]), predictions(label, [8, 15, 3])
    found = recall_distortion(label, dense, pruned, 3)
    assert not found.balanced
    oracle = stats.linregress(found.balance, found.pruned_balance)
    assert found.alpha_with_intercept == pytest.approx(oracle.slope)
    assert found.alpha != pytest.approx(found.alpha_with_intercept, abs=1e-3)
    assert found.alpha == pytest.approx(
        np.linalg.lstsq(found.balance[:, None], found.pruned_balance)[0].item()
    )


def test_classes_without_examples_are_left_out() -> None:
    label = np.repeat([0, 2], 10)
    dense, pruned = predictions(label, [9, 0, 7]), predictions(label, [7, 0, 5])
    found = recall_distortion(label, dense, pruned, 5)
    assert found.alpha == pytest.approx(4 / 3)
    assert found.balanced
    assert np.isnan(found.balance).tolist() == [False, True, False, True, True]


def test_equal_recalls_before_pruning_have_no_slope() -> None:
    label = np.repeat([0, 1], 10)
    found = recall_distortion(label, predictions(label, [8, 8]), predictions(label, [9, 3]), 2)
    assert np.isnan(found.alpha)
    assert np.isnan(found.alpha_with_intercept)


def test_a_network_that_is_never_right_has_no_slope() -> None:
    label = np.repeat([0, 1], 10)
    dense = predictions(label, [9, 7])
    assert np.isnan(recall_distortion(label, dense, predictions(label, [0, 0]), 2).alpha)
    assert np.isnan(recall_distortion(label, predictions(label, [0, 0]), dense, 2).alpha)


def test_degenerate_means_a_sum_of_squares_below_1e_minus_12() -> None:
    y = np.array([1.0, -1.0])
    assert np.isnan(slope_through_origin(np.array([6e-7, -6e-7]), y))
    assert slope_through_origin(np.array([8e-7, -8e-7]), y) == pytest.approx(1 / 8e-7)


def test_many_models_at_once() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 4, 5, 10))
    x[1, 2, 3] = np.nan
    x[0, 0] = np.nan
    for i in range(4):
        for j in range(5):
            shown = ~np.isnan(x[i, j])
            if shown.any():
                line = stats.linregress(x[i, j, shown], y[i, j, shown])
                assert slope_with_intercept(x, y)[i, j] == pytest.approx(line.slope)
                slope = (x[i, j] * y[i, j])[shown].sum() / (x[i, j] ** 2)[shown].sum()
                assert slope_through_origin(x, y)[i, j] == pytest.approx(slope)
    assert np.isnan(slope_through_origin(x, y)[0, 0])
    assert np.isnan(slope_with_intercept(x, y)[0, 0])


def test_pooling_is_one_line_through_all_points() -> None:
    x = np.array([[0.1, -0.1], [0.2, -0.2]])
    alpha, explained = pooled_alpha(x, np.array([[0.1, -0.1], [0.4, -0.4]]))
    assert alpha == pytest.approx((0.01 + 0.08) / (0.01 + 0.04))
    assert explained == pytest.approx(0.09**2 / (0.05 * 0.17))
    assert pooled_alpha(x, 3 * x) == pytest.approx((3, 1))


def test_where_balances_sum_to_0_the_share_explained_is_the_squared_correlation() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 30, 10))
    x, y = (part - part.mean(axis=1, keepdims=True) for part in (x, y))
    _, explained = pooled_alpha(x, y)
    assert explained == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1] ** 2)


@given(st.permutations(range(6)))
def test_the_order_of_classes_does_not_matter(order: list[int]) -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 6))
    assert slope_through_origin(x[order], y[order]) == pytest.approx(slope_through_origin(x, y))
    assert pooled_alpha(x[order], y[order]) == pytest.approx(pooled_alpha(x, y))
