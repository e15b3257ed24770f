"""Fixed random subsets: the same images for every network, machine and version of NumPy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from workers.contracts import DataError

Indices = NDArray[np.int64]


def shuffled(count: int, seed: int = 0) -> Indices:
    """Return a fixed permutation of ``range(count)``."""
    # NumPy promises never to change the stream of RandomState, and promises nothing for Generator.
    return np.random.RandomState(seed).permutation(count).astype(np.int64)


def limited(count: int, limit: int) -> Indices:
    """Choose at most ``limit`` of ``range(count)`` at random; fewer are the first of more.

    Raises:
        DataError: ``limit`` is below 1.

    """
    if limit < 1:
        raise DataError(f"limit is {limit}, expected at least 1")
    return shuffled(count)[:limit]


def holdout(
    count: int, fraction: float, seed: int = 0, *, multiple: int = 1
) -> tuple[Indices, Indices]:
    """Part ``range(count)`` at random into what is kept and the ``fraction`` that is held out.

    Args:
        count: how many there are.
        fraction: of them is held out.
        seed: of the parting.
        multiple: how many are held out is rounded up to a multiple of this, from one on: of a small
            data set, no more than the fraction goes.

    Raises:
        DataError: ``fraction`` is not in [0, 1), or nothing would be kept.

    """
    held = round(count * fraction)
    if held >= multiple:
        held = -(-held // multiple) * multiple
    if not 0 <= fraction < 1 or held >= count:
        raise DataError(f"cannot hold {fraction} of {count} examples out, expected 0 to below 1")
    order = shuffled(count, seed)
    return order[held:], order[:held]


def stratified_holdout(
    labels: Iterable[int] | NDArray[np.int64], fraction: float, seed: int = 0
) -> tuple[Indices, Indices]:
    """Part examples as ``holdout`` does, but class by class, each part in its original order."""
    classes = np.asarray(labels)
    kept, held = [], []
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        keep, hold = holdout(len(members), fraction, seed)
        kept.append(members[keep])
        held.append(members[hold])
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(held))
