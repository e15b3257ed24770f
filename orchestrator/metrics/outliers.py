"""Telling outliers from test images by a score that is larger on what the network knows.

Such scores are the largest softmax probability (Hendrycks and Gimpel 2017, "A Baseline for
Detecting Misclassified and Out-of-Distribution Examples in Neural Networks") and the negative
energy, ln Σ exp of the logits (Liu et al. 2020, "Energy-based Out-of-distribution Detection").
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from orchestrator.metrics.arrays import Array, check_examples
from orchestrator.metrics.scores import Score


def auroc(inside: NDArray[Any], outside: NDArray[Any]) -> Score:
    """Return P(inside > outside) + ½ P(equal), the area under the ROC curve.

    By ranks (Mann and Whitney 1947), ties counted half. It depends on the order of scores alone.
    Its variance is that of the placements of both kinds (DeLong, DeLong and Clarke-Pearson 1988,
    "Comparing the areas under two or more correlated ROC curves"). The smaller kind is its size.

    Args:
        inside: scores of test images, shape (examples,).
        outside: scores of outliers, shape (outliers,).

    Raises:
        ValueError: one is empty, or holds NaN.

    """
    above, below = _placements(inside, outside)
    samples = {"inside": above, "outside": below - below.mean()}
    return Score(samples, min(len(above), len(below)))


def _placements(inside: NDArray[Any], outside: NDArray[Any]) -> tuple[Array, Array]:
    """Return for each image the share of the other kind that it is told from, ties counted half."""
    check_examples(inside=inside)
    check_examples(outside=outside)
    both = np.concatenate([inside, outside]).astype(np.float64)
    if np.isnan(both).any():
        raise ValueError("expected numbers as scores, found NaN")
    split = len(inside)
    rank = stats.rankdata(both)
    above = (rank[:split] - stats.rankdata(both[:split])) / len(outside)
    below = 1 - (rank[split:] - stats.rankdata(both[split:])) / split
    return above, below


def fpr_at_tpr(inside: NDArray[Any], outside: NDArray[Any], tpr: float = 0.95) -> float:
    """Return the share of outliers taken for test images when at least ``tpr`` of those are.

    The threshold is the largest score that at least ⌈tpr · n⌉ of the n test images reach; an
    outlier that reaches it, equality included, is a false positive.

    Args:
        inside: scores of test images, shape (examples,).
        outside: scores of outliers, shape (outliers,).
        tpr: true positive rate, above 0 and at most 1.

    Raises:
        ValueError: one is empty.

    """
    check_examples(inside=inside)
    check_examples(outside=outside)
    accepted = ceil(round(tpr * len(inside), 9))
    threshold = np.sort(inside)[len(inside) - accepted]
    return float((outside >= threshold).mean())
