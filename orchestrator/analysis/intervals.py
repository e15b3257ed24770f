"""Confidence intervals for means over few parents that share one test set.

Write the value measured for parent i as T_i = μ + α_i + β + γ_i: what its seed does (α), what the
shared test set does to all parents alike (β), and what it does to this one (γ). The weighted mean
Σ w_i T_i, with Σ w_i = 1, has the variance Σ w_i² (Var α + Var γ) + Var β. The scatter of the T_i
about their mean estimates the first term, test noise included, and is blind to the second.
Resampling the test examples, the same ones for all parents, moves T_i and T_k together by β alone:
their covariance estimates the second term. Nothing is counted twice, as it is when parents and
examples are both resampled (Owen 2007, The pigeonhole bootstrap).

The first term is known with n − 1 degrees of freedom and the second with as good as infinitely
many, so an interval reaches √(t² · first + z² · second): exact where either dominates and a little
wide in between. A percentile bootstrap of 3 parents has 10 distinct resamples and no such
correction (Hesterberg 2015, What teachers should know about the bootstrap). docs/statistics.md has
the measured coverage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
EDGE = 1e-12
"""Numbers of order 1 that are this close differ by rounding alone."""


@dataclass(frozen=True)
class Spread:
    """A weighted mean over parents and how well it is known; arrays of one shape.

    Attributes:
        mean: Σ w_i T_i; NaN without parents.
        between: variance of the mean that the parents' scatter shows.
        shared: variance of the mean that comes from the test set they share. For one parent, whose
            examples alone can be resampled, it is all there is.
        parents: how many parents have a value.

    """

    mean: Array
    between: Array
    shared: Array
    parents: NDArray[np.int64]

    def reach(self, confidence: float) -> Array:
        """Half the width of the two-sided interval."""
        z = stats.norm.ppf((1 + confidence) / 2)
        student = stats.t.ppf((1 + confidence) / 2, np.maximum(self.parents - 1, 1))
        t = np.where(self.parents > 1, student, z)
        width: Array = np.sqrt(t**2 * self.between + z**2 * self.shared)
        return width


def spread(
    values: NDArray[Any],
    resampled: NDArray[Any],
    weights: NDArray[Any] | float = 1.0,
    at_least: NDArray[Any] | float = 0.0,
) -> Spread:
    """Estimate a weighted mean over parents and the two parts of its variance.

    Args:
        values: one per parent, shape (..., parents); NaN for a parent that does not count.
        resampled: the same on bootstrap test sets shared by all parents, shape (resamples, ...,
            parents).
        weights: not negative, broadcasts against ``values``; scaled to sum to 1.
        at_least: least standard deviation between parents; broadcasts against ``values``.

    """
    counts = ~np.isnan(values)
    resampled = np.where(counts, resampled, 0.0)
    together = (_shares(counts, weights) * resampled).sum(axis=-1).var(axis=0, ddof=1)
    return spread_of_variances(values, together, resampled.var(axis=0, ddof=1), weights, at_least)


def spread_of_variances(
    values: NDArray[Any],
    together: NDArray[Any] | float,
    alone: NDArray[Any],
    weights: NDArray[Any] | float = 1.0,
    at_least: NDArray[Any] | float = 0.0,
) -> Spread:
    """Estimate the same where the variances over test sets are known.

    Args:
        values: one per parent, shape (..., parents); NaN for a parent that does not count.
        together: variance of the weighted mean over test sets shared by all parents, shape (...).
        alone: variance of each parent's value over test sets, of the shape of ``values``.
        weights: not negative, broadcasts against ``values``; scaled to sum to 1.
        at_least: least standard deviation between parents; broadcasts against ``values``.

    The part between parents is never less than ``at_least``, nor than the test noise γ that
    test sets show it to contain: parents that agree by chance prove no certainty.
    """
    counts = ~np.isnan(values)
    share = _shares(counts, weights)
    values = np.where(counts, values, 0.0)
    parents = counts.sum(axis=-1)
    several = parents > 1
    mean = (share * values).sum(axis=-1)

    squares = (share**2).sum(axis=-1)
    scatter = (share**2 * (values - mean[..., None]) ** 2).sum(axis=-1)
    scatter *= np.where(several, parents / np.where(several, parents - 1, 1), 0.0)
    noise = (share**2 * alone).sum(axis=-1)
    shared = np.where(several, (together - noise) / np.where(several, 1 - squares, 1), together)
    shared = np.maximum(shared, 0.0)
    least = (share**2 * np.where(counts, at_least, 0.0) ** 2).sum(axis=-1)
    between = np.maximum.reduce([scatter, noise - shared * squares, least])
    return Spread(np.where(parents > 0, mean, np.nan), between, shared, parents)


def _shares(counts: NDArray[np.bool_], weights: NDArray[Any] | float) -> Array:
    share = np.where(counts, weights, 0.0)
    total = share.sum(axis=-1, keepdims=True)
    shares: Array = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    return shares


def student_interval(
    known: Spread, confidence: float, low: Any = -np.inf, high: Any = np.inf
) -> tuple[Array, Array]:
    """Return the interval around the mean, cut at the possible range [low, high]."""
    reach = known.reach(confidence)
    below, above = np.maximum(known.mean - reach, low), np.minimum(known.mean + reach, high)
    return np.minimum(below, known.mean), np.maximum(above, known.mean)


def wilson_interval(
    known: Spread, confidence: float, examples: NDArray[Any] | int
) -> tuple[Array, Array]:
    """Return Wilson's interval for a proportion p that is known as well as ``known`` says.

    Wilson's (p̂ − p)² = z² p (1 − p) / n with reach² / (p̂ (1 − p̂)) for z² / n, as surveys do with an
    effective n (Korn and Graubard 1998). Where p̂ is 0 or 1, n is the size of the test set. Mean ±
    reach is too narrow for the few errors of an accurate network.
    """
    p, reach = known.mean, known.reach(confidence)
    single = p * (1 - p)  # a rounding error where all or none are right
    certain = single < EDGE
    sure = stats.norm.ppf((1 + confidence) / 2) ** 2 / examples
    ratio = np.where(certain, sure, reach**2 / np.where(certain, 1.0, single))
    middle = (p + ratio / 2) / (1 + ratio)
    width = np.sqrt(single * ratio + ratio**2 / 4) / (1 + ratio)
    return np.clip(middle - width, 0.0, p), np.clip(middle + width, p, 1.0)
