"""Corruption error: errors under corruptions in units of a reference network's.

Hendrycks and Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations" (ICLR). Their reference is AlexNet; in a sweep it is the pruned network's parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.analysis.intervals import EDGE
from orchestrator.metrics.arrays import Array


@dataclass(frozen=True)
class CorruptionErrors:
    """Errors of a network under corruptions; 1 is what the reference makes.

    Attributes:
        corruption_error: Σ_s E_sc / Σ_s E_sc of the reference, shape (corruptions,); NaN where the
            reference makes no error.
        mean_corruption_error: its mean, mCE; NaN if one is.
        relative: the same of what is added to the clean error, (E_sc − E_clean); NaN where the
            reference does not lose by the corruption.
        mean_relative: its mean, relative mCE; NaN if one is.
        error: plain mean error over the severities, shape (corruptions,), in shares.
        mean_error: the same over all that was measured of both networks.

    """

    corruption_error: Array
    mean_corruption_error: float
    relative: Array
    mean_relative: float
    error: Array
    mean_error: float


def corruption_errors(
    error: NDArray[Any], reference: NDArray[Any], clean: float, reference_clean: float
) -> CorruptionErrors:
    """Compare errors under corruptions with those of a reference network.

    Args:
        error: share of wrong predictions, shape (corruptions, severities); NaN where a severity was
            not measured, which leaves it out of the sums of both networks.
        reference: that of the reference network on the same images, likewise.
        clean: error on the uncorrupted test set.
        reference_clean: that of the reference network.

    Raises:
        ValueError: the shapes differ, or are not (corruptions, severities).

    """
    if error.shape != reference.shape or error.ndim != 2 or not error.size:
        shapes = f"{error.shape} and {reference.shape}"
        raise ValueError(f"expected errors of one shape (corruptions, severities), found {shapes}")
    measured = ~(np.isnan(error) | np.isnan(reference))
    own = _ratio(error, reference, measured)
    relative = _ratio(error - clean, reference - reference_clean, measured)
    return CorruptionErrors(
        corruption_error=own,
        mean_corruption_error=float(own.mean()),
        relative=relative,
        mean_relative=float(relative.mean()),
        error=_ratio(error, measured.astype(np.float64), measured),
        mean_error=float(error[measured].mean()) if measured.any() else np.nan,
    )


def _ratio(own: Array, reference: Array, measured: NDArray[np.bool_]) -> Array:
    above = np.where(measured, own, 0.0).sum(axis=1)
    below = np.where(measured, reference, 0.0).sum(axis=1)
    return np.asarray(above / np.where(below > EDGE, below, np.nan))
