"""Recall of each class: the share of its examples that a network recognises."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import Array, check_examples, check_labels


def class_recall(label: NDArray[Any], predicted: NDArray[Any], classes: int) -> Array:
    """Return the recall of each class, NaN for a class without examples.

    Args:
        label: the true class, whole numbers of shape (examples,).
        predicted: what the network says, likewise; may lie outside the classes.
        classes: how many.

    Returns:
        Shape (classes,).

    Raises:
        ValueError: the shapes differ, there is no example or a label is no class.

    """
    check_examples(label=label, predicted=predicted)
    examples = class_examples(label, classes)
    right = np.bincount(label[label == predicted], minlength=classes)
    return right / np.where(examples > 0, examples, np.nan)


def class_examples(label: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Count the examples of each class, shape (classes,).

    Raises:
        ValueError: a label is no class.

    """
    check_labels(label, classes)
    return np.bincount(label, minlength=classes).astype(np.int64)


def worst_class_recall(recall: NDArray[Any]) -> Array:
    """Return the smallest recall over the last axis, the classes; NaN is left out.

    Vysogorets, Ahuja and Kempe 2025, "DRoP: Distributionally Robust Data Pruning" (ICLR).
    """
    return _over_classes(np.fmin, recall)


def recall_range(recall: NDArray[Any]) -> Array:
    """Return the largest recall − the smallest over the last axis; NaN is left out."""
    return _over_classes(np.fmax, recall) - _over_classes(np.fmin, recall)


def recall_deviation(recall: NDArray[Any]) -> Array:
    """Return the standard deviation over the classes (divided by their number, not one less).

    The classes are all there are and no sample of more. NaN is left out.
    """
    shown = ~np.isnan(recall)
    count = shown.sum(axis=-1)
    mean = _mean(np.where(shown, recall, 0.0), count)
    squares = np.where(shown, recall - mean[..., None], 0.0) ** 2
    return np.sqrt(_mean(squares, count))


def _over_classes(extreme: np.ufunc, recall: NDArray[Any]) -> Array:
    found: Array = extreme.reduce(np.asarray(recall, np.float64), axis=-1)
    return found


def _mean(values: Array, count: NDArray[Any]) -> Array:
    mean: Array = values.sum(axis=-1) / np.where(count > 0, count, np.nan)
    return mean
