"""Calibration: does a network that is sure of 80 % of its answers get 80 % of them right?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import check_examples, check_probabilities
from orchestrator.metrics.scores import Score, mean_score

SMALLEST_PROBABILITY = float(np.finfo(np.float32).tiny)
"""2⁻¹²⁶, the smallest normal float32: softmax in float32 may round anything below it to 0."""


def expected_calibration_error(
    confidence: NDArray[Any], correct: NDArray[Any], bins: int = 15
) -> float:
    """Return Σ_b n_b/N · |accuracy_b − mean confidence_b| over bins of equal width.

    Guo et al. 2017, "On Calibration of Modern Neural Networks". Bin b of B holds the confidences
    in [b/B, (b + 1)/B); the last one also holds 1. Random gaps do not cancel, so that the error of
    few examples is biased upwards: compare only on equally many.

    Args:
        confidence: largest softmax probability, shape (examples,).
        correct: whether the prediction is right, likewise.
        bins: how many.

    Raises:
        ValueError: the shapes differ, there is no example or a confidence is outside [0, 1].

    """
    check_examples(confidence=confidence, correct=correct)
    check_probabilities(confidence, "confidences")
    sure = np.clip(np.asarray(confidence, np.float64), 0.0, 1.0)
    index = np.minimum((sure * bins).astype(np.intp), bins - 1)
    gaps = np.bincount(index, weights=np.asarray(correct, np.float64) - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def negative_log_likelihood(p_true: NDArray[Any]) -> Score:
    """Return the mean of −ln p_true, in nats.

    A probability below 2⁻¹²⁶ ≈ 1.2e-38 counts as 2⁻¹²⁶, which adds 87.3 nats: float32 cannot tell
    it from 0, whose logarithm would make the mean infinite.

    Args:
        p_true: softmax probability of the true class, shape (examples,).

    Raises:
        ValueError: there is no example or a probability is outside [0, 1].

    """
    check_examples(p_true=p_true)
    check_probabilities(p_true, "probabilities")
    probability = np.clip(np.asarray(p_true, np.float64), SMALLEST_PROBABILITY, 1.0)
    return mean_score(-np.log(probability) + 0.0)


def brier_score(squared_distance: NDArray[Any]) -> Score:
    """Return the mean of Σ_k (p_k − 1[k is true])², from 0 (sure and right) to 2 (sure and wrong).

    Brier 1950, "Verification of forecasts expressed in terms of probability", in its original form
    over all classes.

    Args:
        squared_distance: that sum for each example, shape (examples,).

    Raises:
        ValueError: there is no example or a sum is outside [0, 2].

    """
    check_examples(squared_distance=squared_distance)
    check_probabilities(np.asarray(squared_distance) / 2, "halved squared distances")
    return mean_score(squared_distance)
