from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from orchestrator.analysis.estimates import Estimate
from orchestrator.analysis.intervals import spread, student_interval
from orchestrator.analysis.resampling import resampled_errors
from orchestrator.metrics.intervals import auroc_interval, score_interval, share_interval

RNG = np.random.default_rng


def test_one_seed_has_the_interval_of_its_examples() -> None:
    scores = RNG(0).exponential(size=400)
    found = score_interval(scores)
    reach = stats.norm.ppf(0.975) * scores.std(ddof=1) / 20
    expected = scores.mean(), scores.mean() - reach, scores.mean() + reach
    assert (found.value, found.low, found.high) == pytest.approx(expected)


def test_a_share_of_one_seed_has_wilsons_interval() -> None:
    holds = np.arange(400) < 388
    found = share_interval(holds)
    oracle = stats.binomtest(388, 400).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=1e-4)


def test_several_seeds_have_the_interval_that_resampling_tends_to() -> None:
    """Against the analysis of errors, which resamples test sets."""
    common = RNG(0).normal(size=500)
    wrong = common + RNG(1).normal(size=(4, 500)) + RNG(2).normal(0, 0.3, (4, 1)) > 1
    resampled = resampled_errors(wrong, 4000, seed=0) / 500
    low, high = student_interval(spread(wrong.mean(axis=1), resampled), 0.95)
    found = score_interval(wrong)
    assert found.value == pytest.approx(wrong.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.002)


def test_seeds_that_agree_by_chance_are_not_certain() -> None:
    scores = np.array([RNG(i).permutation(np.arange(100.0)) for i in range(3)])
    found = score_interval(scores)
    assert found.high - found.low > 5


def test_the_possible_range_cuts_the_interval() -> None:
    found = score_interval(np.array([0.0, 0.0, 1.0]), low=0, high=0.5)
    assert (found.low, found.high) == (0, 0.5)


def test_auroc_of_one_network_has_delongs_variance() -> None:
    inside, outside = RNG(0).normal(1, 1, 60), RNG(1).normal(0, 1, 40)
    found = auroc_interval(inside, outside)
    kernel = (inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)
    variance = kernel.mean(axis=1).var(ddof=1) / 60 + kernel.mean(axis=0).var(ddof=1) / 40
    ratio = 1.959964**2 * variance / (found.value * (1 - found.value))
    middle = (found.value + ratio / 2) / (1 + ratio)
    reach = np.sqrt(found.value * (1 - found.value) * ratio + ratio**2 / 4) / (1 + ratio)
    assert found.value == pytest.approx(kernel.mean())
    assert (found.low, found.high) == pytest.approx((middle - reach, middle + reach))


def test_copies_of_a_network_are_known_as_well_as_one() -> None:
    inside, outside = RNG(0).normal(1, 1, 60), RNG(1).normal(0, 1, 40)
    one = auroc_interval(inside, outside)
    three = auroc_interval(np.tile(inside, (3, 1)), np.tile(outside, (3, 1)))
    assert (three.low, three.high) == pytest.approx((one.low, one.high))


def test_complete_separation_is_not_certainty() -> None:
    found = auroc_interval(np.arange(50.0) + 100, np.arange(30.0))
    oracle = stats.binomtest(30, 30).proportion_ci(0.95, method="wilson")
    assert found.value == 1
    assert (found.low, found.high) == pytest.approx((oracle.low, 1))


@pytest.mark.parametrize(
    "interval",
    [
        lambda: score_interval(np.ones(1)),
        lambda: share_interval(np.ones((3, 1), bool)),
        lambda: auroc_interval(np.ones(1), np.ones(5)),
    ],
)
def test_one_example_has_no_interval(interval: Callable[[], Estimate]) -> None:
    with pytest.raises(ValueError, match="at least 2 examples, found 1"):
        interval()
