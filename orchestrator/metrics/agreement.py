"""How far a pruned network says what its parent says, and how far they err alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from orchestrator.metrics.arrays import Array, check_examples
from orchestrator.metrics.scores import Score, mean_score, ratio_score


@dataclass(frozen=True)
class Agreement:
    """A pruned network beside its parent, in shares of the examples.

    Attributes:
        agreement: the same class predicted; at least the sum of both accuracies − 1.
        churn: 1 − agreement.
        newly_wrong: pruned wrong where the parent is right.
        newly_right: pruned right where the parent is wrong.
        wrong_if_parent_right: newly wrong / parent right; NaN where the parent is never right.
        error_overlap: both wrong / either wrong (Jaccard index); NaN where neither errs.
        p_value: exact McNemar test of equal accuracy, two-sided.

    """

    agreement: Score
    churn: Score
    newly_wrong: Score
    newly_right: Score
    wrong_if_parent_right: Score
    error_overlap: Score
    p_value: float


def compare_predictions(
    label: NDArray[Any], parent: NDArray[Any], pruned: NDArray[Any]
) -> Agreement:
    """Compare a pruned network with its parent, example by example.

    Args:
        label: the true class, shape (examples,).
        parent: what the parent predicts, likewise.
        pruned: what the pruned network predicts, likewise.

    Raises:
        ValueError: the shapes differ or there is no example.

    """
    check_examples(label=label, parent=parent, pruned=pruned)
    parent_right, pruned_right = parent == label, pruned == label
    newly_wrong, newly_right = parent_right & ~pruned_right, ~parent_right & pruned_right
    both_right = parent_right & pruned_right
    return Agreement(
        agreement=mean_score(parent == pruned),
        churn=mean_score(parent != pruned),
        newly_wrong=mean_score(newly_wrong),
        newly_right=mean_score(newly_right),
        wrong_if_parent_right=ratio_score(newly_wrong, parent_right),
        error_overlap=ratio_score(~(parent_right | pruned_right), ~both_right),
        p_value=float(mcnemar_p(int(newly_wrong.sum()), int(newly_right.sum()))),
    )


def mcnemar_p(only_first: NDArray[Any] | int, only_second: NDArray[Any] | int) -> Array:
    """Return the exact two-sided p-value of equal accuracy of two networks on the same examples.

    McNemar 1947 in its exact form: of the examples that only one of them gets right, half should
    fall to each, so that p = min(1, 2 P(X ≤ the smaller count)) with X ~ Binomial(their sum, ½).
    It is about these two networks, not about others of the same recipe.

    Args:
        only_first: examples that only the first gets right, of any shape.
        only_second: examples that only the second gets right, likewise.

    """
    smaller = np.minimum(only_first, only_second)
    total = np.add(only_first, only_second)
    p: Array = np.minimum(1.0, 2 * stats.binom.cdf(smaller, total, 0.5))
    return p
