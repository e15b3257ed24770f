"""Differences and verdicts, checked by hand."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.estimates import Estimate, average, percent, together

shares = st.floats(0, 1)
estimates = st.tuples(shares, shares, shares).map(lambda three: Estimate(*_ordered(three)))


def _ordered(three: tuple[float, float, float]) -> tuple[float, float, float]:
    low, value, high = sorted(three)
    return value, low, high


def test_the_limits_of_a_difference_join_the_arms_that_face_each_other() -> None:
    difference = Estimate(0.9, 0.8, 0.95) - Estimate(0.5, 0.4, 0.7)
    assert difference.value == pytest.approx(0.4)
    assert difference.low == pytest.approx(0.4 - sqrt(0.1**2 + 0.2**2))
    assert difference.high == pytest.approx(0.4 + sqrt(0.05**2 + 0.1**2))


def test_the_interval_of_a_difference_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal((0.7, 0.6), (0.03, 0.04), (4000, 2)).T
    reach = 1.96 * 0.03, 1.96 * 0.04
    covered = 0
    for a, b in zip(first, second, strict=True):
        found = Estimate(a, a - reach[0], a + reach[0]) - Estimate(b, b - reach[1], b + reach[1])
        covered += found.low <= 0.1 <= found.high
    assert 0.94 < covered / 4000 < 0.96


@given(estimates, estimates)
def test_a_difference_turned_round_is_its_mirror_image(a: Estimate, b: Estimate) -> None:
    there, back = a - b, b - a
    assert there.low <= there.value <= there.high
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_without_limits_there_are_none_later_either() -> None:
    difference = Estimate(0.9) - Estimate(0.5, 0.4, 0.6)
    assert difference.value == pytest.approx(0.4)
    assert isnan(difference.low)
    assert isnan(difference.high)


@pytest.mark.parametrize(
    ("estimate", "limit", "above", "at_most"),
    [
        (Estimate(0.5, 0.4, 0.6), 0.3, "holds", "does not hold"),
        (Estimate(0.5, 0.4, 0.6), 0.7, "does not hold", "holds"),
        (Estimate(0.5, 0.4, 0.6), 0.45, "cannot be told", "cannot be told"),
        (Estimate(0.0, 0.0, 0.0), 0.0, "does not hold", "holds"),
        (Estimate(0.5), 0.45, "holds", "does not hold"),
        (Estimate(0.5), 0.5, "does not hold", "holds"),
        (Estimate(0.1, float("-inf"), float("inf")), 0.0, "cannot be told", "cannot be told"),
    ],
)
def test_verdicts_go_by_the_whole_interval(
    estimate: Estimate, limit: float, above: str, at_most: str
) -> None:
    assert (estimate.above(limit), estimate.at_most(limit)) == (above, at_most)


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (Estimate(0.80, 0.7, 0.9), "holds"),  # on the edge of the tolerance
        (Estimate(0.79, 0.7, 0.9), "cannot be told"),
        (Estimate(0.79, 0.7, 0.799), "does not hold"),
        (Estimate(0.95, 0.91, 0.99), "does not hold"),
        (Estimate(0.79), "does not hold"),
    ],
)
def test_near_is_within_the_tolerance(estimate: Estimate, verdict: str) -> None:
    assert estimate.near(0.85, 0.05) == verdict


def test_a_claim_is_as_good_as_its_worst_part() -> None:
    assert together(["holds", "holds"]) == "holds"
    assert together(["holds", "cannot be told"]) == "cannot be told"
    assert together(["cannot be told", "does not hold", "holds"]) == "does not hold"


def test_averages_and_words() -> None:
    mean = average([Estimate(0.2, 0.1, 0.4), Estimate(0.6, 0.5, 0.6)])
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.4, 0.3, 0.5))
    assert str(Estimate(0.849, 0.801, 0.88)) == "84.9 [80.1, 88.0]"
    assert str(Estimate(0.5)) == "50.0 (point estimate)"
    assert percent(-0.0001) == "0.0"
    assert str(Estimate(0.9, 0.8, 1.0).times(0.5)) == "45.0 [40.0, 50.0]"
