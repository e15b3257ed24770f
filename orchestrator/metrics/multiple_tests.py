"""p-values of several tests at once, so that one false alarm among all stays as rare as promised.

A NaN p-value is no test: it stays NaN and is not counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import Array


def bonferroni(p: NDArray[Any]) -> Array:
    """Return p times the number of tests on the last axis, at most 1."""
    tests = (~np.isnan(p)).sum(axis=-1, keepdims=True)
    adjusted: Array = np.minimum(1.0, np.asarray(p, np.float64) * tests)
    return adjusted


def holm(p: NDArray[Any]) -> Array:
    """Return Holm's adjusted p-values over the last axis, never larger than Bonferroni's.

    Holm 1979, "A simple sequentially rejective multiple test procedure": the i-th smallest of m is
    multiplied by m − i + 1, and none is smaller than one before it.
    """
    p = np.asarray(p, np.float64)
    tests = (~np.isnan(p)).sum(axis=-1, keepdims=True)
    order = np.argsort(p, axis=-1, kind="stable")  # NaN last
    factor = np.maximum(tests - np.arange(p.shape[-1]), 0)
    stepped = np.maximum.accumulate(np.take_along_axis(p, order, axis=-1) * factor, axis=-1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(1.0, stepped), axis=-1)
    return adjusted
