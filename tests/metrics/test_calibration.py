from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from orchestrator.metrics.calibration import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
)

Pairs = list[tuple[float, bool]]


def test_sure_of_80_percent_and_right_in_80_percent_is_calibrated() -> None:
    confidence, correct = np.full(10, 0.8), np.arange(10) < 8
    assert expected_calibration_error(confidence, correct) == pytest.approx(0, abs=1e-15)


def test_always_sure_and_right_half_of_the_time_errs_by_a_half() -> None:
    assert expected_calibration_error(np.ones(10), np.arange(10) < 5) == 0.5


def test_gaps_of_bins_do_not_cancel_and_those_within_one_do() -> None:
    confidence = np.array([0.2, 0.2, 0.9, 0.9])
    correct = np.array([True, False, True, False])
    # Bin 0: accuracy 0.5 against 0.2; bin 1: 0.5 against 0.9, each with half of the examples.
    assert expected_calibration_error(confidence, correct, 2) == pytest.approx(0.3 / 2 + 0.4 / 2)
    assert expected_calibration_error(confidence, correct, 1) == pytest.approx(0.55 - 0.5)


def test_an_edge_belongs_to_the_bin_above_it_and_1_to_the_last() -> None:
    right, wrong = np.array([True]), np.array([False])
    # 0.5 and 1 share the upper of two bins: their gaps −0.5 and +1 partly cancel.
    pair = np.array([0.5, 1.0]), np.concatenate([right, wrong])
    assert expected_calibration_error(*pair, 2) == pytest.approx(0.5 / 2)
    pair = np.array([0.25, 0.5]), np.concatenate([wrong, right])
    assert expected_calibration_error(*pair, 2) == pytest.approx((0.25 + 0.5) / 2)


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1),
    st.integers(1, 30),
    st.randoms(use_true_random=False),
)
def test_calibration_error_is_a_share_and_knows_no_order(
    pairs: Pairs, bins: int, random: Random
) -> None:
    found = expected_calibration_error(*map(np.array, zip(*pairs, strict=True)), bins)
    random.shuffle(pairs)
    shuffled = expected_calibration_error(*map(np.array, zip(*pairs, strict=True)), bins)
    assert 0 <= found <= 1
    assert shuffled == pytest.approx(found, abs=1e-12)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1), st.integers(1, 30))
def test_one_bin_gives_the_least_error(pairs: Pairs, bins: int) -> None:
    confidence, correct = map(np.array, zip(*pairs, strict=True))
    least = abs(confidence.mean() - correct.mean())
    assert expected_calibration_error(confidence, correct, bins) >= least - 1e-12


def test_log_likelihood_by_hand() -> None:
    found = negative_log_likelihood(np.array([1.0, 0.5, 0.25]))
    assert found.value == pytest.approx(np.log(2))


def test_a_probability_of_0_counts_as_the_smallest_normal_number_of_float32() -> None:
    found = negative_log_likelihood(np.array([0.0, 1e-45, 1.0, 1.0], np.float32))
    assert found.value == pytest.approx(126 * np.log(2) / 2)


def test_a_perfect_network_has_a_likelihood_of_0() -> None:
    value = negative_log_likelihood(np.ones(3, np.float32)).value
    assert str(value) == "0.0"


@given(arrays(np.float32, st.integers(1, 20), elements=st.floats(0, 1, width=32)))
def test_log_likelihood_is_finite(p_true: NDArray[np.float32]) -> None:
    assert 0 <= negative_log_likelihood(p_true).value <= 88


def test_brier_is_the_mean_of_squared_distances() -> None:
    assert brier_score(np.array([0.0, 2.0, 0.5, 0.5])).value == 0.75


def test_scores_in_half_precision_are_averaged_in_double() -> None:
    assert brier_score(np.full(100_000, 0.25, np.float16)).value == 0.25


@pytest.mark.parametrize("confidence", [[1.2], [-0.1], [np.nan], [0.5, 0.5], []])
def test_what_is_no_confidence_is_refused(confidence: list[float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        expected_calibration_error(np.array(confidence), np.ones(1, bool)[: len(confidence)])


def test_what_a_device_rounds_above_1_is_taken_for_1() -> None:
    sure = np.nextafter(np.ones(2, np.float32), np.float32(2))
    assert expected_calibration_error(sure, np.ones(2, bool)) == 0
    assert negative_log_likelihood(sure).value == 0
