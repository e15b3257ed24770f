"""Tests of recall distortion over models, as Good et al. 2022 (arXiv 2206.02976) make them.

The unit is the model: the same dense models are pruned to every ratio by every method. A model
whose α is NaN is left out. With fewer than 2 models nothing is tested and everything is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.analysis.intervals import EDGE
from orchestrator.metrics.arrays import Array
from orchestrator.metrics.multiple_tests import bonferroni
from orchestrator.metrics.t_tests import TTest, mean_interval, paired_t, welch_t


@dataclass(frozen=True)
class AlphaIntervals:
    """E[α] at each ratio; arrays of shape (ratios,).

    Attributes:
        mean: over the models.
        low: lower limit; NaN for fewer than 2 models.
        high: upper limit, likewise.
        label: "<" where the interval lies below 1 (classes evened out), ">" where it lies above
            (intensified), "?" where it cannot be told.
        models: how many have an α.

    """

    mean: Array
    low: Array
    high: Array
    label: tuple[str, ...]
    models: NDArray[np.int64]


@dataclass(frozen=True)
class AlphaTests:
    """Tests of pairs of populations, in order.

    Attributes:
        pairs: positions of the two that are compared, first and second.
        test: t, degrees of freedom and p, shape (pairs,).
        adjusted_p: after Bonferroni over the pairs that could be tested.

    """

    pairs: tuple[tuple[int, int], ...]
    test: TTest
    adjusted_p: Array


def alpha_intervals(alpha: NDArray[Any], family_confidence: float = 0.95) -> AlphaIntervals:
    """Return Student's interval of E[α] at each ratio, all of them right at once.

    Bonferroni: each has the confidence 1 − (1 − family)/ratios, 99 % for five ratios at 95 %.

    Args:
        alpha: shape (ratios, models).
        family_confidence: that all intervals hold their truth.

    """
    confidence = 1 - (1 - family_confidence) / len(alpha)
    mean, low, high = mean_interval(alpha, confidence)
    label = np.where(high < 1 - EDGE, "<", np.where(low > 1 + EDGE, ">", "?"))
    models = (~np.isnan(alpha)).sum(axis=-1)
    return AlphaIntervals(mean, low, high, tuple(label.tolist()), models)


def ratio_tests(alpha: NDArray[Any]) -> AlphaTests:
    """Test whether α grows from each ratio to the next: one-sided paired t-tests.

    Args:
        alpha: shape (ratios, models), ratios in increasing order.

    """
    pairs = tuple(pairwise(range(len(alpha))))
    return _tests(pairs, paired_t(alpha[:-1], alpha[1:], "less"))


def method_tests(alpha: NDArray[Any]) -> AlphaTests:
    """Test whether methods differ in α at one ratio: two-sided paired t-tests of all pairs.

    Args:
        alpha: shape (methods, models), the same dense models for all.

    """
    pairs = tuple(combinations(range(len(alpha)), 2))
    first, second = np.array(pairs, np.intp).reshape(-1, 2).T
    return _tests(pairs, paired_t(alpha[first], alpha[second]))


def network_tests(populations: Sequence[NDArray[Any]]) -> AlphaTests:
    """Test whether α falls from each network to the next larger: one-sided Welch tests.

    The paper does not say whether it takes variances for equal; they are not taken for equal here.

    Args:
        populations: α of the models of each network, shape (models,), from the smallest network to
            the largest.

    """
    pairs = tuple(pairwise(range(len(populations))))
    found = [welch_t(populations[a], populations[b], "greater") for a, b in pairs]
    t, freedom, p = (
        np.array([getattr(one, key) for one in found]) for key in ("t", "freedom", "p")
    )
    return _tests(pairs, TTest(t, freedom, p))


def _tests(pairs: tuple[tuple[int, int], ...], test: TTest) -> AlphaTests:
    return AlphaTests(pairs, test, bonferroni(test.p))
