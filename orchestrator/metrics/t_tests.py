"""Student's t over few models: intervals of a mean, paired and Welch's tests.

All are vectorised over leading axes, with the models on the last one; NaN stands for a model
without a value. Where fewer than 2 models are left, or their values do not differ at all, there is
no test: two seeds that agree by chance prove no certainty, so that t and p are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from orchestrator.analysis.intervals import EDGE
from orchestrator.metrics.arrays import Array

Alternative = Literal["two-sided", "less", "greater"]
"""What is claimed of the first against the second; the null hypothesis is equality."""


@dataclass(frozen=True)
class TTest:
    """Statistic, degrees of freedom and p-value; arrays of one shape."""

    t: Array
    freedom: Array
    p: Array


def mean_interval(values: NDArray[Any], confidence: float) -> tuple[Array, Array, Array]:
    """Return the mean over models and the limits of Student's two-sided interval around it.

    Args:
        values: shape (..., models).
        confidence: between 0 and 1.

    Returns:
        Mean, lower and upper limit, each of shape (...); limits NaN for fewer than 2 models.

    """
    count, mean, variance = _moments(values)
    freedom = np.where(count > 1, count - 1, np.nan)
    reach = stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance / count)
    return mean, mean - reach, mean + reach


def paired_t(
    first: NDArray[Any], second: NDArray[Any], alternative: Alternative = "two-sided"
) -> TTest:
    """Test whether the mean of ``first`` − ``second`` is 0, for models that are measured twice.

    Args:
        first: shape (..., models).
        second: of the same models in the same order, likewise; a model missing in one is left out.
        alternative: "less" claims that the first mean is smaller.

    Raises:
        ValueError: the numbers of models differ.

    """
    if np.shape(first)[-1:] != np.shape(second)[-1:]:
        shapes = f"{np.shape(first)} and {np.shape(second)}"
        raise ValueError(f"expected the same models in both, found shapes {shapes}")
    count, mean, variance = _moments(np.subtract(first, second))
    return _judge(mean, np.sqrt(variance / count), np.asarray(count - 1.0), alternative)


def welch_t(
    first: NDArray[Any], second: NDArray[Any], alternative: Alternative = "two-sided"
) -> TTest:
    """Test whether two independent groups of models have one mean; their variances may differ.

    Welch 1947, "The generalization of Student's problem when several different population
    variances are involved"; degrees of freedom after Satterthwaite.

    Args:
        first: shape (..., models).
        second: of other models, not necessarily as many; leading axes broadcast.
        alternative: "less" claims that the first mean is smaller.

    """
    first_count, first_mean, first_variance = _moments(first)
    second_count, second_mean, second_variance = _moments(second)
    a, b = first_variance / first_count, second_variance / second_count
    weight = a**2 / (first_count - 1) + b**2 / (second_count - 1)
    freedom = np.divide((a + b) ** 2, weight, out=np.full(weight.shape, np.nan), where=weight > 0)
    return _judge(first_mean - second_mean, np.sqrt(a + b), freedom, alternative)


def _moments(values: NDArray[Any]) -> tuple[Array, Array, Array]:
    """Count, mean and variance without NaN; the variance of fewer than 2 is NaN."""
    shown = ~np.isnan(values)
    count = np.asarray(shown.sum(axis=-1), np.float64)
    some = np.where(count > 0, count, np.nan)
    mean = np.where(shown, values, 0.0).sum(axis=-1) / some
    squares = np.where(shown, values - mean[..., None], 0.0) ** 2
    return some, mean, squares.sum(axis=-1) / np.where(count > 1, count - 1, np.nan)


def _judge(difference: Array, error: Array, freedom: Array, alternative: Alternative) -> TTest:
    usable = error > EDGE
    t = np.divide(difference, error, out=np.full(np.shape(error), np.nan), where=usable)
    freedom = np.where(usable, freedom, np.nan)
    tails = {
        "two-sided": lambda: 2 * stats.t.sf(np.abs(t), freedom),
        "less": lambda: stats.t.cdf(t, freedom),
        "greater": lambda: stats.t.sf(t, freedom),
    }
    return TTest(t, freedom, np.asarray(tails[alternative](), np.float64))
