from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from orchestrator.analysis.intervals import spread, student_interval, wilson_interval

RNG = np.random.default_rng


def test_parents_alone_give_students_interval_of_their_mean() -> None:
    values = np.array([0.2, 0.5, 0.6, 0.9])
    known = spread(values, np.broadcast_to(values, (100, 4)))
    low, high = student_interval(known, 0.95)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((oracle.low, oracle.high))


def test_one_parent_has_the_interval_of_its_test_examples() -> None:
    resampled = RNG(0).normal(0.7, 0.02, (100_000, 1))
    known = spread(np.array([0.7]), resampled)
    low, high = student_interval(known, 0.95)
    assert (low, high) == pytest.approx((0.7 - 1.96 * 0.02, 0.7 + 1.96 * 0.02), abs=5e-4)
    assert known.parents == 1


def test_the_shared_test_set_adds_its_covariance_and_its_noise_is_not_counted_twice() -> None:
    shared = RNG(0).normal(0, 0.03, (50_000, 1))
    own = RNG(1).normal(0, 0.05, (50_000, 3))
    values = np.array([0.1, 0.5, 0.9])
    known = spread(values, values + shared + own)
    assert known.between == pytest.approx(0.4**2 / 3)
    assert known.shared == pytest.approx(0.03**2, rel=0.02)
    t, z = stats.t.ppf(0.975, 2), stats.norm.ppf(0.975)
    reach = np.sqrt(t**2 * known.between + z**2 * known.shared)
    assert known.reach(0.95) == pytest.approx(reach)


def test_the_scatter_of_parents_is_not_less_than_their_own_test_noise() -> None:
    own = RNG(1).normal(0, 0.05, (50_000, 3))
    known = spread(np.full(3, 0.5), 0.5 + own)
    assert known.between == pytest.approx(0.05**2 / 3, rel=0.03)
    assert known.shared == pytest.approx(0, abs=1e-5)


def test_missing_parents_do_not_count() -> None:
    resampled = RNG(0).normal(size=(100, 2, 3))
    values = np.array([[1.0, np.nan, 3.0], [np.nan] * 3])
    resampled[:, np.isnan(values)] = np.nan
    known = spread(values, resampled)
    assert known.parents.tolist() == [2, 0]
    alone = spread(values[0, [0, 2]], resampled[:, 0, [0, 2]])
    assert known.mean[0] == alone.mean == 2
    assert known.between[0] == pytest.approx(alone.between)
    assert known.shared[0] == pytest.approx(alone.shared)
    assert np.isnan(known.mean[1])


def test_weights_give_the_cluster_robust_variance_of_a_slope() -> None:
    x, y = np.array([[0.5, 0.5, 0.4], [0.9, 0.8, 0.7]]), np.array([[1.0, 2, 3], [3, 1, 2]])
    weights = (x**2).sum(axis=0)
    slopes = (x * y).sum(axis=0) / weights
    known = spread(slopes, np.broadcast_to(slopes, (10, 3)), weights)
    slope = (x * y).sum() / (x**2).sum()
    scores = (x * (y - slope * x)).sum(axis=0)
    assert known.mean == pytest.approx(slope)
    assert known.between == pytest.approx(3 / 2 * (scores**2).sum() / weights.sum() ** 2)


def test_the_possible_range_cuts_the_interval_but_never_the_estimate() -> None:
    values = np.array([0.95, 0.95, 0.2])
    known = spread(values, np.broadcast_to(values, (10, 3)))
    assert student_interval(known, 0.95, 0.0, 0.95) == (0.0, 0.95)


def test_the_accuracy_of_one_parent_has_wilsons_interval() -> None:
    examples, right = 360, 352
    resampled = RNG(0).binomial(examples, right / examples, (200_000, 1)) / examples
    known = spread(np.array([right / examples]), resampled)
    oracle = stats.binomtest(right, examples).proportion_ci(0.95, method="wilson")
    assert wilson_interval(known, 0.95, examples) == pytest.approx(tuple(oracle), abs=2e-4)


@pytest.mark.parametrize("parents", [1, 10])
def test_no_error_at_all_is_not_certainty(parents: int) -> None:
    known = spread(np.ones(parents), np.ones((100, parents)))
    low, high = wilson_interval(known, 0.95, 100)
    assert low < 0.97
    assert high == 1


def test_the_flat_case_agrees_with_scipys_bootstrap() -> None:
    correct = RNG(3).random(500) < 0.8
    oracle = stats.bootstrap(
        (correct,), np.mean, n_resamples=5000, method="percentile", rng=RNG(4), vectorized=True
    )
    counts = RNG(5).multinomial(500, np.full(500, 1 / 500), size=5000)
    known = spread(np.array([correct.mean()]), (counts @ correct / 500)[:, None])
    assert np.sqrt(known.shared) == pytest.approx(oracle.standard_error, rel=0.04)
    for interval in (student_interval(known, 0.95), wilson_interval(known, 0.95, 500)):
        assert interval == pytest.approx(tuple(oracle.confidence_interval), abs=0.004)


def test_the_scatter_has_a_floor() -> None:
    values = np.array([0.5, 0.5, 0.5])
    known = spread(values, np.broadcast_to(values, (10, 3)), at_least=np.array([0.1, 0.2, 0.3]))
    assert known.between == pytest.approx((0.01 + 0.04 + 0.09) / 9)


def test_one_parent_read_off_a_grid_has_the_normal_quantile() -> None:
    known = spread(np.array([0.5]), np.full((10, 1), 0.5), at_least=0.1)
    low, high = student_interval(known, 0.95)
    assert (low, high) == pytest.approx((0.5 - 0.196, 0.5 + 0.196), abs=1e-4)
