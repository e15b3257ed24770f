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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.analysis.estimates import Estimate
from orchestrator.analysis.intervals import Spread, spread, student_interval, wilson_interval
from orchestrator.metrics.arrays import Array
from orchestrator.metrics.outliers import placements


def score_interval(
    scores: NDArray[Any],
    confidence: float = 0.95,
    low: float = -np.inf,
    high: float = np.inf,
) -> Estimate:
    """Return the mean over seeds and examples with Student's interval.

    Args:
        scores: log-likelihoods, squared distances and the like of one shape (seeds, examples), the
            same examples for all seeds; or (examples,) of one seed.
        confidence: between 0 and 1.
        low: least possible value, at which the interval is cut.
        high: largest possible value, likewise.

    Raises:
        ValueError: there are fewer than 2 examples.

    """
    known = _spread(np.atleast_2d(scores))
    return _estimate(known, student_interval(known, confidence, low, high))


def share_interval(holds: NDArray[Any], confidence: float = 0.95) -> Estimate:
    """Return the mean over seeds of a share of the examples, with Wilson's interval.

    Args:
        holds: bool of shape (seeds, examples), the same examples for all seeds; or (examples,) of
            one seed: right, agreeing with the parent, both wrong.
        confidence: between 0 and 1.

    Raises:
        ValueError: there are fewer than 2 examples.

    """
    scores = np.atleast_2d(holds)
    known = _spread(scores)
    return _estimate(known, wilson_interval(known, confidence, scores.shape[1]))


def auroc_interval(
    inside: NDArray[Any], outside: NDArray[Any], confidence: float = 0.95
) -> Estimate:
    """Return the mean AUROC over seeds with Wilson's interval.

    Where all images are told apart the smaller set stands for the sample size.

    Args:
        inside: scores of the test images, shape (seeds, examples), the same images for all seeds;
            or (examples,) of one seed.
        outside: scores of the outliers, shape (seeds, outliers) or (outliers,), likewise.
        confidence: between 0 and 1.

    Raises:
        ValueError: there are fewer than 2 images of a kind, or a score is NaN.

    """
    above, below = placements(np.atleast_2d(inside), np.atleast_2d(outside))
    known = _spread(above, below)
    fewest = min(above.shape[1], below.shape[1])
    return _estimate(known, wilson_interval(known, confidence, fewest))


def _spread(*samples: NDArray[Any]) -> Spread:
    """Spread of the mean over independent samples of (seeds, examples) that have one mean.

    What ``spread`` reads from resampled test sets is their covariance. Deviations of the examples,
    scaled, have the covariance that infinitely many resamples would tend to.
    """
    fewest = min(sample.shape[1] for sample in samples)
    if fewest < 2:
        raise ValueError(f"expected at least 2 examples, found {fewest}")
    rows = sum(sample.shape[1] for sample in samples)
    values = np.asarray(samples[0], np.float64).mean(axis=1)
    return spread(values, np.concatenate([_deviations(sample, rows) for sample in samples]))


def _deviations(sample: NDArray[Any], rows: int) -> Array:
    count = sample.shape[1]
    scores = np.asarray(sample, np.float64)
    centred = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(centred.T * np.sqrt((rows - 1) / (count * (count - 1))))


def _estimate(known: Spread, limits: tuple[Array, Array]) -> Estimate:
    return Estimate(float(known.mean), float(limits[0]), float(limits[1]))
