from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from orchestrator.metrics.multiple_tests import bonferroni, holm
from orchestrator.metrics.t_tests import Alternative, TTest, mean_interval, paired_t, welch_t

RNG = np.random.default_rng
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=8).map(np.array)


def test_students_interval() -> None:
    values = RNG(0).normal(size=(3, 6))
    for row, mean, low, high in zip(values, *mean_interval(values, 0.99), strict=True):
        oracle = stats.ttest_1samp(row, 0).confidence_interval(0.99)
        assert (mean, low, high) == pytest.approx((row.mean(), oracle.low, oracle.high))


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_paired_is_students_test_of_differences(alternative: Alternative) -> None:
    first, second = RNG(0).normal(size=(2, 4, 7))
    first[1, 2], second[1, 3] = np.nan, np.nan
    found = paired_t(first, second, alternative)
    oracle = stats.ttest_rel(first, second, axis=1, alternative=alternative, nan_policy="omit")
    assert found.t == pytest.approx(oracle.statistic)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.freedom.tolist() == [6, 4, 6, 6]


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_welch_with_groups_of_different_size(alternative: Alternative) -> None:
    first, second = RNG(0).normal(size=(4, 5)), RNG(1).normal(0.5, 3, size=(4, 9))
    first[1, 2] = np.nan
    found = welch_t(first, second, alternative)
    oracle = stats.ttest_ind(
        first, second, axis=1, equal_var=False, alternative=alternative, nan_policy="omit"
    )
    assert found.t == pytest.approx(oracle.statistic)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.freedom == pytest.approx(oracle.df)


def test_equal_groups_have_a_statistic_of_0() -> None:
    values = np.array([0.1, 0.4, 0.2])
    found = welch_t(values, values[::-1])
    assert (found.t, found.p) == pytest.approx((0, 1), abs=1e-12)


@pytest.mark.parametrize("test", [paired_t, welch_t])
@pytest.mark.parametrize(
    ("first", "second"),
    [([0.3], [0.4]), ([0.3, np.nan], [0.4, 0.5]), ([0.1, 0.1], [0.3, 0.3]), ([], [])],
)
def test_too_few_or_too_equal_models_are_no_test(
    test: Callable[..., TTest], first: list[float], second: list[float]
) -> None:
    found = test(np.array(first), np.array(second))
    assert np.isnan([found.t, found.freedom, found.p]).all()


def test_differences_that_are_equal_but_for_rounding_are_no_test() -> None:
    first = np.array([0.1, 0.2, 0.7])
    assert np.isnan(paired_t(first, first + 0.1).p)


def test_one_model_has_a_mean_without_limits_and_none_has_nothing() -> None:
    mean, low, high = mean_interval(np.array([[0.4, np.nan], [np.nan, np.nan]]), 0.95)
    assert mean == pytest.approx([0.4, np.nan], nan_ok=True)
    assert np.isnan([low, high]).all()


def test_pairs_need_the_same_models() -> None:
    with pytest.raises(ValueError, match="same models"):
        paired_t(np.ones(3), np.ones(4))


def test_corrections_by_hand() -> None:
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    assert bonferroni(p) == pytest.approx([0.04, 0.16, np.nan, 0.12, 0.02], nan_ok=True)
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1; the last is raised to the one before it.
    assert holm(p) == pytest.approx([0.03, 0.06, np.nan, 0.06, 0.02], nan_ok=True)


def test_corrections_of_several_families_at_once() -> None:
    p = RNG(0).random((3, 5))
    for row, adjusted in zip(p, holm(p), strict=True):
        assert adjusted == pytest.approx(holm(row))


@given(p_values)
def test_holm_lies_between_p_and_bonferroni_and_keeps_the_order(p: NDArray[np.float64]) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= bonferroni(p)).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@given(p_values, st.integers(0, 3))
def test_tests_that_cannot_be_made_are_not_counted(p: NDArray[np.float64], blanks: int) -> None:
    padded = np.concatenate([p, np.full(blanks, np.nan)])
    for correct in (bonferroni, holm):
        np.testing.assert_array_equal(correct(padded)[: len(p)], correct(p))


def test_no_test_at_all() -> None:
    assert np.isnan(holm(np.full(3, np.nan))).all()
    assert holm(np.empty(0)).shape == (0,)
