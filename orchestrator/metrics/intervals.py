"""Intervals over seeds for metrics that are means over the examples of one shared test set.

They are those of the analysis (``orchestrator.analysis.intervals``): the scatter between seeds, and
what the shared test set does to all of them. For a mean over examples the second needs no
resampling, as the covariance of two means over the same n examples is that of the examples, over n.
The same holds for AUROC, with the placements of its images for examples (DeLong, DeLong and
Clarke-Pearson 1988). With one seed only the test set is left, so that the interval is about this
one network.

They do not hold for what is no mean: calibration error (random gaps add up to a bias), the recall
of the worst class (chosen on the examples it is measured on), α, corruption error. For those,
``t_tests.mean_interval`` shows the scatter between seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.analysis.estimates import Estimate
from orchestrator.analysis.intervals import (
    Spread,
    spread_of_variances,
    student_interval,
    wilson_interval,
)
from orchestrator.metrics.arrays import Array
from orchestrator.metrics.scores import Score


class MeanOverSeeds:
    """The mean of a metric over seeds, whose networks come one by one.

    Kept are the sum over seeds for each example, in single precision, and two numbers per seed.
    """

    def __init__(self) -> None:
        """Begin without a seed."""
        self._values: list[float] = []
        self._variances: list[float] = []
        self._totals: dict[str, Array] = {}
        self.size = 0
        """The smallest number of examples that the metric is a share of."""

    @property
    def seeds(self) -> int:
        """How many have a value."""
        return len(self._values)

    def add(self, score: Score) -> None:
        """Add what the network of one more seed has; nothing if it has no value.

        Args:
            score: on the same examples, in the same order, for all seeds.

        """
        if not score.size:
            return
        self.size = min(self.size, score.size) if self._values else score.size
        self._values.append(score.value)
        self._variances.append(sum(map(_variance, score.samples.values())))
        for name, each in score.samples.items():
            if name in self._totals:
                self._totals[name] += each
            else:
                self._totals[name] = each.astype(np.float32)

    def moments(self, seeds: int) -> tuple[Array, float, Array]:
        """Return the values, the variance of their mean over test sets, and that of each.

        Args:
            seeds: length of the arrays; of the values the rest is NaN.

        """
        values, alone = np.full(seeds, np.nan), np.zeros(seeds)
        values[: self.seeds], alone[: self.seeds] = self._values, self._variances
        together = sum(map(_variance, self._totals.values())) / max(self.seeds, 1) ** 2
        return values, together, alone


def student_intervals(
    means: Sequence[MeanOverSeeds], confidence: float, low: float = -np.inf, high: float = np.inf
) -> list[Estimate]:
    """Return means with Student's intervals, cut at the possible range.

    Args:
        means: of as many metrics, each of at least one seed.
        confidence: between 0 and 1.
        low: least possible value.
        high: largest possible value.

    Returns:
        Limits NaN for fewer than 2 examples.

    """
    known = _spread(means)
    return _estimates(known, student_interval(known, confidence, low, high))


def wilson_intervals(means: Sequence[MeanOverSeeds], confidence: float) -> list[Estimate]:
    """Return means, of shares, with Wilson's intervals.

    Args:
        means: of as many metrics, each of at least one seed.
        confidence: between 0 and 1.

    """
    known, sizes = _spread(means), np.array([one.size for one in means])
    return _estimates(known, wilson_interval(known, confidence, sizes))


def _spread(means: Sequence[MeanOverSeeds]) -> Spread:
    seeds = max(one.seeds for one in means)
    values, together, alone = zip(*(one.moments(seeds) for one in means), strict=True)
    return spread_of_variances(np.array(values), np.array(together), np.array(alone))


def _estimates(known: Spread, limits: tuple[Array, Array]) -> list[Estimate]:
    rows = zip(known.mean.tolist(), *(side.tolist() for side in limits), strict=True)
    return [Estimate(*row) for row in rows]


def _variance(each: Array) -> float:
    """Variance of a mean over examples; NaN of fewer than 2."""
    return float(each.var(ddof=1, dtype=np.float64)) / len(each) if len(each) > 1 else np.nan
