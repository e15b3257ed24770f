from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from orchestrator.metrics.distortion_tests import (
    AlphaTests,
    alpha_intervals,
    method_tests,
    network_tests,
    ratio_tests,
)

RNG = np.random.default_rng


def test_five_ratios_have_99_percent_each() -> None:
    alpha = RNG(0).normal(1, 0.1, (5, 30))
    found = alpha_intervals(alpha)
    for row, low, high in zip(alpha, found.low, found.high, strict=True):
        oracle = stats.ttest_1samp(row, 0).confidence_interval(0.99)
        assert (low, high) == pytest.approx((oracle.low, oracle.high))
    assert found.models.tolist() == [30] * 5


def test_labels() -> None:
    alpha = np.array([[0.9, 0.91, 0.92], [1.1, 1.11, 1.12], [0.9, 1.0, 1.1], [1.2, np.nan, np.nan]])
    assert alpha_intervals(alpha).label == ("<", ">", "?", "?")


def test_identical_networks_are_not_told_from_1() -> None:
    found = alpha_intervals(np.array([[1 + 1e-15], [1 - 1e-15]]) * np.ones(4))
    assert found.label == ("?", "?")
    assert found.mean == pytest.approx([1, 1])


def test_alpha_grows_with_the_ratio() -> None:
    alpha = RNG(0).normal([[1.0], [1.05], [1.05]], 0.1, (3, 10)) + RNG(1).normal(0, 1, 10)
    found = ratio_tests(alpha)
    assert found.pairs == ((0, 1), (1, 2))
    for (i, j), p, adjusted in zip(found.pairs, found.test.p, found.adjusted_p, strict=True):
        assert p == pytest.approx(stats.ttest_rel(alpha[i], alpha[j], alternative="less").pvalue)
        assert adjusted == pytest.approx(min(1, 2 * p))


def test_methods_are_compared_in_all_pairs() -> None:
    alpha = RNG(0).normal(size=(4, 6))
    found = method_tests(alpha)
    assert found.pairs == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    oracle = [stats.ttest_rel(alpha[i], alpha[j]).pvalue for i, j in found.pairs]
    assert found.test.p == pytest.approx(oracle)
    assert found.adjusted_p == pytest.approx(np.minimum(1, 6 * np.array(oracle)))


def test_larger_networks_distort_less() -> None:
    small, middle, large = RNG(0).normal(1.5, 0.1, 6), RNG(1).normal(1.2, 0.3, 9), np.array([1.0])
    found = network_tests([small, middle, large])
    oracle = stats.ttest_ind(small, middle, equal_var=False, alternative="greater")
    assert found.test.p == pytest.approx([oracle.pvalue, np.nan], nan_ok=True)
    # The pair that cannot be tested is not counted.
    assert found.adjusted_p == pytest.approx([oracle.pvalue, np.nan], nan_ok=True)


def test_models_without_alpha_are_left_out_of_their_pairs() -> None:
    alpha = RNG(0).normal(size=(2, 5))
    alpha[0, 1] = np.nan
    kept = [0, 2, 3, 4]
    assert ratio_tests(alpha).test.p == pytest.approx(ratio_tests(alpha[:, kept]).test.p)
    assert alpha_intervals(alpha).models.tolist() == [4, 5]


@pytest.mark.parametrize("tests", [ratio_tests, method_tests])
def test_one_population_or_one_model_is_nothing_to_test(
    tests: Callable[..., AlphaTests],
) -> None:
    assert tests(np.ones((1, 3))).pairs == ()
    assert tests(np.ones((1, 3))).adjusted_p.shape == (0,)
    assert np.isnan(tests(np.array([[1.0], [2.0]])).test.p).all()
    assert network_tests([np.ones(3)]).pairs == ()
