"""Resampling: error counts on bootstrap test sets, and a smoothed bootstrap of parents.

A bootstrap test set draws ``n`` of the ``n`` examples with replacement, so it is a row of
multinomial counts, and the errors of a network on it are the product of that row with the network's
0/1 errors: one matrix product for all networks. Counts stay below 2**24, which float32 adds
exactly: the result does not depend on the order of summation, hence not on the BLAS library, its
threads or the size of the pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
PIECE = 1 << 22  # entries of the count matrix at a time: 16 MiB, and 64 MiB while they are drawn
CELLS = 512


def example_counts(examples: int, resamples: int, seed: int) -> Iterator[tuple[slice, Floats]]:
    """Draw bootstrap test sets, a piece of rows at a time.

    The draws depend on ``examples`` and ``seed`` alone. Whatever is tested on equally many examples
    therefore meets the same resampled images: parent, pruned networks, methods and tasks are
    paired.

    Args:
        examples: size of the test set.
        resamples: how many bootstrap test sets.
        seed: of the random generator.

    Yields:
        The rows a piece stands for, and its counts, float32 of shape (rows, examples).

    """
    generator = np.random.default_rng([seed, examples])
    rows = max(1, PIECE // examples)
    for start in range(0, resamples, rows):
        piece = min(rows, resamples - start)
        drawn = generator.integers(0, examples, size=(piece, examples))
        drawn += np.arange(piece)[:, None] * examples
        counts = np.bincount(drawn.ravel(), minlength=piece * examples)
        yield slice(start, start + piece), counts.reshape(piece, examples).astype(np.float32)


def resampled_errors(
    wrong: NDArray[np.bool_] | NDArray[np.float64], resamples: int, seed: int
) -> Floats:
    """Count the errors of networks on bootstrap test sets.

    Args:
        wrong: bool of shape (cells, examples), one row per network and task, all on the same
            examples; or float64, of which the sums are as exact (``mean_iou.GRID``).
        resamples: how many bootstrap test sets.
        seed: of the random generator.

    Returns:
        Sums, of booleans whole numbers, as float32 of shape (resamples, cells).

    """
    cells, examples = wrong.shape
    errors = np.empty((resamples, cells), dtype=np.float32)
    exact: Any = np.float32 if wrong.dtype == np.bool_ else np.float64
    for rows, counts in example_counts(examples, resamples, seed):
        for start in range(0, cells, CELLS):
            piece = slice(start, start + CELLS)
            errors[rows, piece] = counts.astype(exact) @ wrong[piece].astype(exact).T
    return errors


def smoothed_parents(
    gained: NDArray[np.float64], resamples: int, seed: int, *, whole: bool = True
) -> NDArray[np.float64]:
    """Draw parents from a normal distribution with the mean and covariance of the measured ones.

    A smoothed bootstrap (Silverman and Young 1987, The bootstrap: to smooth or not to smooth?).
    What is lumpy, like the largest level that passes, scatters over three parents by luck, and over
    parents that lie between and around them steadily.

    Args:
        gained: errors beyond the parent's, shape (..., parents); NaN where not measured.
        resamples: how many parents to draw.
        seed: of the random generator.
        whole: errors are counts, so that what is drawn is rounded to whole ones.

    Returns:
        Errors of shape (resamples, ...); NaN where no parent was measured.

    """
    counts = (~np.isnan(gained)).sum(axis=-1)
    total = np.nansum(gained, axis=-1)
    centre = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    residuals = np.nan_to_num(gained - centre[..., None])
    residuals /= np.sqrt(np.maximum(counts - 1, 1))[..., None]
    parents = gained.shape[-1]
    normal = np.random.default_rng([seed, 0, parents]).normal(size=(parents, resamples))
    drawn = np.broadcast_to(centre, (resamples, *centre.shape)).copy()
    for i in range(
        parents
    ):  # term by term: a BLAS may sum in any order, and rounding would show it
        drawn += np.multiply.outer(normal[i], residuals[..., i])
    return np.rint(drawn) if whole else drawn
