"""Recall distortion: does pruning push the recalls of the classes further apart?

Good et al. 2022, "Recall Distortion in Neural Network Pruning and the Undecayed Pruning Algorithm"
(NeurIPS, arXiv 2206.02976). With recall R and accuracy A, a class has the normalised recall balance
B = (R − A)/A. α is the slope of B after pruning over B before it, through the origin and over the
classes: above 1 pruning intensifies what the classes differ in, below 1 it evens them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import Array, check_examples
from orchestrator.metrics.recall import class_examples, class_recall

DEGENERATE = 1e-12
"""A sum of squares below it has no slope: all classes are equally well recognised."""


@dataclass(frozen=True)
class Distortion:
    """What pruning does to the recalls of one network.

    Attributes:
        alpha: slope through the origin; NaN where the dense network has equal recalls.
        alpha_with_intercept: slope with an intercept, for a test set that is not balanced.
        balanced: all classes with examples have equally many. If not, the balances of the classes
            do not sum to 0, and nothing calls for a line through the origin.
        accuracy: of the dense network.
        pruned_accuracy: of the pruned one.
        balance: normalised recall balance of the dense network, shape (classes,).
        pruned_balance: of the pruned one, likewise.

    """

    alpha: float
    alpha_with_intercept: float
    balanced: bool
    accuracy: float
    pruned_accuracy: float
    balance: Array
    pruned_balance: Array


def recall_distortion(
    label: NDArray[Any], dense: NDArray[Any], pruned: NDArray[Any], classes: int
) -> Distortion:
    """Compare the recalls of a network before and after pruning.

    Args:
        label: the true class, shape (examples,).
        dense: predictions before, likewise.
        pruned: predictions after, likewise.
        classes: how many; those without examples are left out.

    Raises:
        ValueError: the shapes differ, there is no example or a label is no class.

    """
    check_examples(label=label, dense=dense, pruned=pruned)
    accuracy, pruned_accuracy = float((dense == label).mean()), float((pruned == label).mean())
    examples = class_examples(label, classes)
    before = recall_balance(class_recall(label, dense, classes), accuracy)
    after = recall_balance(class_recall(label, pruned, classes), pruned_accuracy)
    return Distortion(
        alpha=float(slope_through_origin(before, after)),
        alpha_with_intercept=float(slope_with_intercept(before, after)),
        balanced=bool((examples[examples > 0] == examples.max()).all()),
        accuracy=accuracy,
        pruned_accuracy=pruned_accuracy,
        balance=before,
        pruned_balance=after,
    )


def recall_balance(recall: NDArray[Any], accuracy: NDArray[Any] | float) -> Array:
    """Return (R − A)/A, shape (..., classes); NaN where the accuracy is 0.

    Args:
        recall: of each class, shape (..., classes).
        accuracy: of the network over all examples, shape (...).

    """
    whole = np.asarray(accuracy, np.float64)[..., None]
    balance: Array = np.asarray(recall, np.float64) / np.where(whole > 0, whole, np.nan) - 1
    return balance


def slope_through_origin(x: NDArray[Any], y: NDArray[Any]) -> Array:
    """Return Σxy / Σx² over the last axis; NaN where Σx² < 1e-12. NaN pairs are left out."""
    x, y, _ = _pairs(x, y)
    return _quotient((x * y).sum(axis=-1), (x * x).sum(axis=-1))


def slope_with_intercept(x: NDArray[Any], y: NDArray[Any]) -> Array:
    """Return the least-squares slope over the last axis; NaN where Σ(x − mean)² < 1e-12."""
    x, y, count = _pairs(x, y)
    weight = np.where(count > 0, count, 1)
    mean = x.sum(axis=-1) / weight
    products = (x * y).sum(axis=-1) - mean * y.sum(axis=-1)
    return _quotient(products, (x * x).sum(axis=-1) - mean * x.sum(axis=-1))


def pooled_alpha(balance: NDArray[Any], pruned_balance: NDArray[Any]) -> tuple[float, float]:
    """Return one α over all classes of all models, and its r².

    r² = 1 − Σ(y − αx)² / Σy² = (Σxy)² / (Σx² Σy²), the share that a line through the origin
    explains; on a balanced test set, where the balances sum to 0, it is the squared correlation.

    Args:
        balance: before pruning, shape (models, classes).
        pruned_balance: after it, likewise.

    """
    x, y, _ = _pairs(np.ravel(balance), np.ravel(pruned_balance))
    products, squares = (x * y).sum(), (x * x).sum()
    explained = _quotient(products**2, squares * (y * y).sum())
    return float(_quotient(products, squares)), float(explained)


def _pairs(x: NDArray[Any], y: NDArray[Any]) -> tuple[Array, Array, NDArray[Any]]:
    shown = ~(np.isnan(x) | np.isnan(y))
    return np.where(shown, x, 0.0), np.where(shown, y, 0.0), shown.sum(axis=-1)


def _quotient(above: Any, below: Any) -> Array:
    return np.asarray(above / np.where(below >= DEGENERATE, below, np.nan))
