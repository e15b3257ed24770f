from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from orchestrator.analysis.estimates import Estimate
from orchestrator.analysis.intervals import spread, student_interval
from orchestrator.analysis.resampling import resampled_errors
from orchestrator.metrics.intervals import MeanOverSeeds, student_intervals, wilson_intervals
from orchestrator.metrics.outliers import auroc
from orchestrator.metrics.scores import Average, Score, mean_score, ratio_score

RNG = np.random.default_rng


def over_seeds(scores: Iterable[Score]) -> MeanOverSeeds:
    mean = MeanOverSeeds()
    for score in scores:
        mean.add(score)
    return mean


def student(*seeds: NDArray[Any], low: float = -np.inf, high: float = np.inf) -> Estimate:
    return student_intervals([over_seeds(map(mean_score, seeds))], 0.95, low, high)[0]


def wilson(*scores: Score) -> Estimate:
    return wilson_intervals([over_seeds(scores)], 0.95)[0]


def test_one_seed_has_the_interval_of_its_examples() -> None:
    scores = RNG(0).exponential(size=400)
    found = student(scores)
    reach = stats.norm.ppf(0.975) * scores.std(ddof=1) / 20
    expected = scores.mean(), scores.mean() - reach, scores.mean() + reach
    assert (found.value, found.low, found.high) == pytest.approx(expected)


def test_a_share_of_one_seed_has_wilsons_interval() -> None:
    holds = np.arange(400) < 388
    found = wilson(mean_score(holds))
    oracle = stats.binomtest(388, 400).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=1e-4)


def test_several_seeds_have_the_interval_that_resampling_tends_to() -> None:
    """Against the analysis of errors, which resamples test sets."""
    common = RNG(0).normal(size=500)
    wrong = common + RNG(1).normal(size=(4, 500)) + RNG(2).normal(0, 0.3, (4, 1)) > 1
    resampled = resampled_errors(wrong, 4000, seed=0) / 500
    low, high = student_interval(spread(wrong.mean(axis=1), resampled), 0.95)
    found = student(*wrong)
    assert found.value == pytest.approx(wrong.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.002)


def test_seeds_that_agree_by_chance_are_not_certain() -> None:
    scores = np.array([RNG(i).permutation(np.arange(100.0)) for i in range(3)])
    found = student(*scores)
    assert found.high - found.low > 5


def test_the_possible_range_cuts_the_interval() -> None:
    found = student(np.array([0.0, 0.0, 1.0]), low=0, high=0.5)
    assert (found.low, found.high) == (0, 0.5)


def test_auroc_of_one_network_has_delongs_variance() -> None:
    inside, outside = RNG(0).normal(1, 1, 60), RNG(1).normal(0, 1, 40)
    found = wilson(auroc(inside, outside))
    kernel = (inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)
    variance = kernel.mean(axis=1).var(ddof=1) / 60 + kernel.mean(axis=0).var(ddof=1) / 40
    ratio = 1.959964**2 * variance / (found.value * (1 - found.value))
    middle = (found.value + ratio / 2) / (1 + ratio)
    reach = np.sqrt(found.value * (1 - found.value) * ratio + ratio**2 / 4) / (1 + ratio)
    assert found.value == pytest.approx(kernel.mean())
    assert (found.low, found.high) == pytest.approx((middle - reach, middle + reach))


def test_copies_of_a_network_are_known_as_well_as_one() -> None:
    inside, outside = RNG(0).normal(1, 1, 60), RNG(1).normal(0, 1, 40)
    one = wilson(auroc(inside, outside))
    three = wilson(*[auroc(inside, outside)] * 3)
    assert (three.low, three.high) == pytest.approx((one.low, one.high))


def test_complete_separation_is_not_certainty() -> None:
    found = wilson(auroc(np.arange(50.0) + 100, np.arange(30.0)))
    oracle = stats.binomtest(30, 30).proportion_ci(0.95, method="wilson")
    assert found.value == 1
    assert (found.low, found.high) == pytest.approx((oracle.low, 1))


def test_one_example_has_no_interval() -> None:
    found = student(np.ones(1), np.zeros(1))
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()


def test_a_seed_without_a_value_does_not_count() -> None:
    some, nothing = np.array([True, False, True, True]), np.zeros(4, bool)
    found = over_seeds([ratio_score(some, some), ratio_score(nothing, nothing)])
    assert found.seeds == 1
    assert wilson_intervals([found], 0.95)[0].value == 1


def test_metrics_of_unequally_many_seeds_go_together() -> None:
    """The interval of each is what it is alone."""
    seeds = RNG(0).random((3, 50)) < 0.3
    means = [over_seeds(map(mean_score, seeds[:count])) for count in (3, 1, 2)]
    alone = [wilson_intervals([mean], 0.95)[0] for mean in means]
    assert wilson_intervals(means, 0.95) == alone


def test_the_share_of_a_part_has_the_interval_of_its_resamples() -> None:
    """The part is known, not how much of the test set it is."""
    whole = RNG(0).random((3, 400)) < 0.4
    part = whole & (RNG(1).random(400) < 0.3)
    draws = RNG(2).multinomial(400, np.full(400, 1 / 400), 4000)
    resampled = (draws @ part.T) / (draws @ whole.T)
    known = spread(part.sum(axis=1) / whole.sum(axis=1), resampled)
    found = student_intervals([over_seeds(map(ratio_score, part, whole))], 0.95)[0]
    low, high = student_interval(known, 0.95)
    assert found.value == pytest.approx(known.mean)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)


def test_a_part_that_is_all_is_known_as_well_as_its_size_allows() -> None:
    whole = np.arange(400) < 20
    oracle = stats.binomtest(20, 20).proportion_ci(0.95, method="wilson")
    found = wilson(ratio_score(whole, whole))
    assert (found.low, found.high) == pytest.approx((oracle.low, 1))


def test_tasks_on_the_same_images_are_no_further_test_sets() -> None:
    """Four conditions that err alike are known as well as one, unrelated ones as 4 n examples."""
    wrong = RNG(0).random((4, 1000)) < 0.2
    one = student(wrong[0])
    alike, unrelated = Average(), Average()
    for each in wrong:
        alike.add(mean_score(wrong[0]))
        unrelated.add(mean_score(each))
    same, apart = (
        student_intervals([over_seeds([average.score()])], 0.95)[0]  # type: ignore[list-item]
        for average in (alike, unrelated)
    )
    assert (same.value, same.low, same.high) == pytest.approx((one.value, one.low, one.high))
    reach = (one.high - one.low) / 2
    assert apart.value == pytest.approx(wrong.mean())
    assert apart.high - apart.value == pytest.approx(reach / 2, rel=0.1)


def test_tasks_of_several_sizes_add_their_variances() -> None:
    few, many = RNG(0).random(100), RNG(1).random(300)
    average = Average()
    average.add(mean_score(few))
    average.add(mean_score(many))
    score = average.score()
    assert score is not None
    found = student_intervals([over_seeds([score])], 0.95)[0]
    variance = (few.var(ddof=1) / 100 + many.var(ddof=1) / 300) / 4
    assert found.value == pytest.approx((few.mean() + many.mean()) / 2)
    assert found.high - found.value == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-5)


def test_no_task_has_no_mean() -> None:
    average, nothing = Average(), np.zeros(4, bool)
    average.add(ratio_score(nothing, nothing))
    assert average.score() is None
