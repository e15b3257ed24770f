"""Canonical correlation of what two layers put out, in their main directions.

SVCCA: Raghu, Gilmer, Yosinski and Sohl-Dickstein (2017), "SVCCA: Singular Vector Canonical
Correlation Analysis for Deep Learning Dynamics and Interpretability".

    X = U S Vᵀ, centred; U_x: the first columns of U whose squared singular values add up to the
    wanted share of their sum; similarity = mean of the singular values of U_xᵀ U_y

This is CCA of the kept directions, as U is whitened. All in float64.
"""

from __future__ import annotations

from math import nan

import torch
from torch import Tensor

from workers.inspection.centring import centred

EPSILON = 1e-10
"""Directions with less than this share of the largest variance count as none."""

ROWS_PER_DIRECTION = 10
"""With fewer rows, correlations say more of the sample than of the layers."""


def main_directions(rows: Tensor, variance: float) -> Tensor:
    """Find the directions in which ``rows`` vary most.

    Args:
        rows: (rows, neurons).
        variance: the share of the variance to keep, in (0, 1]; with 1, all directions.

    Returns:
        (rows, directions) float64 with orthonormal columns, of which there are none if no neuron
        varies.

    """
    deviations = centred(rows)
    ascending, vectors = torch.linalg.eigh(deviations.mT @ deviations)
    variances, vectors = ascending.flip(0), vectors.flip(1)
    real = int((variances > EPSILON * variances[0]).sum())
    sums = variances[:real].cumsum(0)
    kept = min(real, int((sums < variance * sums[-1:]).sum()) + 1)
    directions: Tensor = deviations @ (vectors[:, :kept] / variances[:kept].sqrt())
    return directions


def mean_correlation(x: Tensor, y: Tensor) -> float:
    """Average the canonical correlations of two sets of directions over the smaller set.

    Args:
        x: (rows, directions), orthonormal; the same examples as in ``y``.
        y: (rows, other directions), orthonormal.

    Returns:
        In [0, 1]; NaN if there is no direction, or less than 10 rows for one.

    """
    fewest, most = sorted((x.shape[1], y.shape[1]))
    if fewest == 0 or len(x) < ROWS_PER_DIRECTION * most:
        return nan
    return float(torch.linalg.svdvals(x.mT @ y).clamp(max=1).mean())
