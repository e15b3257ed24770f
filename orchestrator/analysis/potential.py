"""Prune potential: how far a network can be pruned while its error on a task stays within δ."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Rule = Literal["any", "contiguous"]
RULES: tuple[Rule, ...] = ("any", "contiguous")


def allowed_errors(delta: float, examples: int, *, whole: bool = True) -> float:
    """Return how many more errors than its parent a network may make: ⌊δ·n⌋, in exact arithmetic.

    δ is read as the decimal number that it is written as, so that 0.005 of 200 examples is one
    error. Errors that are not ``whole``, those of segmentation, may be up to δ·n more.
    """
    allowed = Fraction(repr(float(delta))) * examples
    return math.floor(allowed) if whole else float(allowed)


def prune_potential(
    gained: NDArray[Any], ratios: NDArray[np.float64], allowed: NDArray[Any] | int, rule: Rule
) -> NDArray[np.float64]:
    """Return P(θ, D; δ), the largest measured prune ratio that keeps the error on D within δ.

    Lost in Pruning (arXiv 2103.03014). The paper asks nothing of the levels below, so that a
    late recovery counts (``any``); ``contiguous`` stops at the first measured level that fails.

    Args:
        gained: errors beyond the parent's, shape (..., levels, parents); NaN where not measured.
        ratios: achieved prune ratios, shape (levels, parents), in any order.
        allowed: errors allowed beyond the parent's; broadcasts against ``gained``.
        rule: ``any`` or ``contiguous``.

    Returns:
        Shape (..., parents): 0 where no level qualifies, NaN where none was measured.

    """
    if gained.shape[-2] == 0:
        return np.full((*gained.shape[:-2], gained.shape[-1]), np.nan)
    order = np.argsort(ratios, axis=0, kind="stable")
    ratios = np.take_along_axis(ratios, order, axis=0)
    gained = np.take_along_axis(gained, order[(None,) * (gained.ndim - 2)], axis=-2)
    measured = ~np.isnan(gained)
    passed = gained <= allowed
    if rule == "contiguous":
        passed &= np.logical_and.accumulate(passed | ~measured, axis=-2)
    best = np.where(passed, ratios, 0.0).max(axis=-2)
    return np.where(measured.any(axis=-2), best, np.nan)


def next_ratio(potential: NDArray[np.float64], ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest measured ratio above each potential, or 1 above the last level.

    Between the two the ladder cannot tell.

    Args:
        potential: shape (..., parents).
        ratios: achieved prune ratios, shape (levels, parents).

    """
    above = ratios > potential[..., None, :]
    following: NDArray[np.float64] = np.where(above, ratios, 1.0).min(axis=-2, initial=1.0)
    return following
