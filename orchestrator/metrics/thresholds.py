"""Thresholds of a membership attack: which images choose them, and what they are.

They maximise balanced accuracy per class, as Song and Mittal 2021 ("Systematic Evaluation of
Privacy Risks of Machine Learning Models", USENIX Security) choose them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import Array, check_labels
from orchestrator.metrics.recall import class_examples


def judged_half(label: NDArray[Any], member: NDArray[np.bool_], classes: int) -> NDArray[np.bool_]:
    """Say which images are judged: every second of each class, among members and others alike.

    The order of the images decides, and nothing else.

    Args:
        label: the true classes, shape (images,).
        member: whether the image was trained on, likewise.
        classes: how many.

    """
    check_labels(label, classes)
    group = label.astype(np.int64) * 2 + member
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    within = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    judged = np.empty(len(group), bool)
    judged[order] = within % 2 == 1
    return judged


def divides(label: NDArray[Any], member: NDArray[np.bool_], classes: int) -> bool:
    """Say whether both halves have members and others.

    They have not where no two members, or no two of the others, are of one class.

    Args:
        label: the true classes, shape (images,).
        member: whether the image was trained on, likewise.
        classes: how many.

    """
    judged = judged_half(label, member, classes)
    kinds = np.unique(2 * judged + member)
    return len(kinds) == 4


def class_thresholds(
    score: NDArray[Any], label: NDArray[Any], member: NDArray[np.bool_], classes: int
) -> Array:
    """Return for each class the threshold of best balanced accuracy.

    Of equally good ones it is the largest. It lies midway between the smallest score that is
    accused and the next one, if there is one. A class without members, or without others, takes the
    threshold of all classes together.

    Args:
        score: larger for members, shape (images,).
        label: the true classes, likewise.
        member: whether the image was trained on, likewise.
        classes: how many.

    Returns:
        Shape (classes,).

    Raises:
        ValueError: there is no member, or nothing else.

    """
    check_both_kinds(member)
    members = class_examples(label[member], classes)
    others = class_examples(label[~member], classes)
    together = _thresholds(score, np.zeros(len(score), np.int64), member)[0]
    thresholds = np.full(classes, together)
    usable = (members > 0) & (others > 0)
    shown = usable[label]
    thresholds[usable] = _thresholds(score[shown], label[shown], member[shown])
    return thresholds


def check_both_kinds(member: NDArray[np.bool_]) -> None:
    """Make sure that there are members and others.

    Raises:
        ValueError: one kind is missing, or they are not told apart by booleans.

    """
    if member.dtype != np.bool_:
        raise ValueError(f"expected booleans for who is a member, found {member.dtype}")
    if member.all() or not member.any():
        found = f"{member.sum()} members among {len(member)} images"
        raise ValueError(f"expected members and others, found {found}")


def _thresholds(score: NDArray[Any], label: NDArray[Any], member: NDArray[np.bool_]) -> Array:
    """Thresholds of the classes that occur, in their order; all have members and others.

    Sorted by class and falling score, members found and others accused are running counts, to be
    read where the score or the class changes next. Their weighted difference is a whole number, so
    that equally good thresholds are equal.
    """
    score = np.asarray(score, np.float64)
    order = np.lexsort((-score, label))
    score, label, member = score[order], label[order], member[order]
    _, first, index, size = np.unique(
        label, return_index=True, return_inverse=True, return_counts=True
    )
    running = np.cumsum(member)
    found: NDArray[np.int64] = running - (running[first] - member[first])[index]
    accused = np.arange(len(score)) - first[index] + 1 - found
    last = first + size - 1
    members: NDArray[np.int64] = found[last]
    gain = found * (size - members)[index] - accused * members[index]
    tied = np.zeros(len(score), bool)
    tied[:-1] = (score[:-1] == score[1:]) & (label[:-1] == label[1:])
    gain[tied] = np.iinfo(gain.dtype).min
    best = np.flatnonzero(gain == np.maximum.reduceat(gain, first)[index])
    chosen = best[np.unique(index[best], return_index=True)[1]]
    lower = score[np.minimum(chosen + 1, last)]
    middle = (score[chosen] + lower) / 2
    return np.where(middle > lower, middle, score[chosen])
