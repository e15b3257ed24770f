"""Centred kernel alignment with linear kernels.

Kornblith, Norouzi, Lee and Hinton (2019), "Similarity of Neural Network Representations Revisited":

    CKA = ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖), X and Y centred

Of independent layers it is about neurons / rows. The unbiased estimate of HSIC (Song et al., 2012,
"Feature Selection via Dependence Maximization") in the place of all three norms makes that 0
on average. It leaves out the products of an example with itself. With k_i = ‖x_i‖², l_i = ‖y_i‖²
and n rows it is, but for a factor that cancels,

    ‖XᵀY‖² − n / (n − 2) Σ k_i l_i + Σ k_i Σ l_i / ((n − 1) (n − 2))

as K = XXᵀ without its diagonal has the row sums −k_i. No matrix of rows × rows is needed.
"""

from __future__ import annotations

from math import nan, sqrt

from torch import Tensor


def alignment(x: Tensor, y: Tensor, *, debiased: bool) -> float:
    """Compute linear CKA.

    Args:
        x: (rows, neurons), centred, float64; the same examples as in ``y``.
        y: (rows, other neurons), centred, float64.
        debiased: estimate without bias; then it can be a little below 0.

    Returns:
        At most 1; NaN if a layer does not vary, or, debiased, if there are less than 4 rows.

    """
    if debiased and len(x) < 4:
        return nan
    product = unbiased_product if debiased else biased_product
    own = product(x, x), product(y, y)
    if min(own) <= 0:
        return nan
    return min(product(x, y) / sqrt(own[0] * own[1]), 1.0)


def biased_product(x: Tensor, y: Tensor) -> float:
    """Compute ‖XᵀY‖²."""
    return float((x.mT @ y).square().sum())


def unbiased_product(x: Tensor, y: Tensor) -> float:
    """Compute n (n − 3) times the unbiased HSIC of centred rows; it takes at least 4 of them."""
    rows = len(x)
    k, l = x.square().sum(1), y.square().sum(1)  # noqa: E741 as in the formula
    diagonal = rows / (rows - 2) * k @ l
    means = k.sum() * l.sum() / ((rows - 1) * (rows - 2))
    return biased_product(x, y) - float(diagonal - means)
