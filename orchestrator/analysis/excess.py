"""Excess error: how much more a pruned network loses under shift than its parent does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def excess_error(errors: NDArray[Any], shifted: NDArray[np.bool_]) -> Array:
    """Return e(pruned) − e(parent) with e = mean error on test tasks − mean error on train tasks.

    Lost in Pruning (arXiv 2103.03014), where e is the excess error and this its difference.

    Args:
        errors: error rates, shape (..., tasks, levels, parents), the first level being the parent;
            NaN where not measured.
        shifted: per task, whether it belongs to the test distribution.

    Returns:
        Shape (..., levels − 1, parents): fractions of 1. NaN where a task is missing, for the
        pruned network or for its parent, and everywhere if either distribution has no task.

    """
    if shifted.all() or not shifted.any():
        return np.full((*errors.shape[:-3], errors.shape[-2] - 1, errors.shape[-1]), np.nan)
    gained = errors[..., 1:, :] - errors[..., :1, :]
    under_shift = gained[..., shifted, :, :].mean(axis=-3, dtype=np.float64)
    nominal = gained[..., ~shifted, :, :].mean(axis=-3, dtype=np.float64)
    difference: Array = under_shift - nominal
    return difference


def parent_slopes(excess: Array, ratios: Array) -> tuple[Array, Array]:
    """Fit excess = b · ratio by least squares for each parent: b = Σ xy / Σ x².

    The pooled slope over all parents and levels is the mean of the parents' slopes weighted
    by Σ x².

    Args:
        excess: shape (..., levels, parents); NaN where not measured.
        ratios: achieved prune ratios of the same levels, shape (levels, parents).

    Returns:
        The slopes, shape (..., parents), NaN for a parent without a point, and the weights Σ x².

    """
    measured = ~np.isnan(excess)
    x = np.where(measured, ratios, 0.0)
    weights = (x**2).sum(axis=-2)
    products = (x * np.where(measured, excess, 0.0)).sum(axis=-2)
    slopes = np.divide(products, weights, out=np.full_like(weights, np.nan), where=weights > 0)
    return slopes, weights
