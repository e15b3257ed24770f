"""An upper bound on the number of linear regions of a sparse ReLU perceptron.

Cai et al. (2023), "Getting Away with More Network Pruning: From Sparsity to Geometry and Linear
Regions", theorem 1. With widths n_0 … n_L, and P_l(k) the probability that the weight
of layer l has rank k,

    R(l, d) = Σ_k P_l(k) Σ_{j ≤ min(k, d)} C(n_l, j) R(l + 1, min(n_l − j, d, k)), R(L + 1, d) = 1

and the bound is R(1, n_0), or R(1, d) on a subspace of d dimensions. With the rank k in the place
of n_l, in C(n_l, j) and n_l − j, it falls with the density as the paper's figure 2 shows; by the
theorem it hardly does. That form is not proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp
from torch import nn

from workers.contracts import PermanentError

Binomial = Literal["theorem", "rank"]
Array = NDArray[np.float64]


def log2_regions(
    widths: Sequence[int],
    ranks: Sequence[Array],
    binomial: Binomial,
    dimensions: int | None = None,
) -> float:
    """Compute the binary logarithm of the bound.

    Args:
        widths: of the input and of every layer, the output layer included.
        ranks: for every layer the probability of each rank from 0 on.
        binomial: what is chosen from: ``theorem``, the units, or ``rank``, as many as the rank.
        dimensions: of the subspace of inputs whose regions are counted; all inputs if None.

    """
    entered = min(widths[0], widths[0] if dimensions is None else dimensions)
    later = np.zeros(widths[-1] + 1)
    for index in reversed(range(len(ranks))):
        inputs, units = widths[index], widths[index + 1]
        reached = np.arange(inputs + 1) if index else np.array([entered])
        later = _layer(reached, units, ranks[index], later, binomial)
    return float(later[0] / np.log(2))


def _layer(
    reached: NDArray[np.int64], units: int, ranks: Array, later: Array, binomial: Binomial
) -> Array:
    """Compute log R(l, d) for all d of ``reached`` from ``later``, log R(l + 1, ·)."""
    total = np.full(len(reached), -np.inf)
    limits = reached[:, None]
    for rank in np.flatnonzero(ranks).tolist():
        chosen_from = units if binomial == "theorem" else rank
        chosen = np.arange(rank + 1)
        left = np.minimum(np.minimum(chosen_from - chosen, rank), limits)
        terms = _log_binomial(chosen_from, chosen) + later[left]
        terms = np.where(chosen <= limits, terms, -np.inf)
        total = np.logaddexp(total, np.log(ranks[rank]) + logsumexp(terms, axis=1))
    return total


def _log_binomial(total: int, chosen: NDArray[np.int64]) -> Array:
    logarithm: Array = gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)
    return logarithm


def linear_layers(network: nn.Module) -> list[tuple[str, nn.Linear]]:
    """List the layers of a perceptron, by name, from the first to the last.

    Raises:
        PermanentError: the network has other layers, or they do not follow each other.

    """
    layers: list[tuple[str, nn.Linear]] = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            layers.append((name, module))
        elif next(module.parameters(recurse=False), None) is not None:
            raise _unsuitable(f"{type(module).__name__} '{name}'")
    for (_, before), (name, after) in pairwise(layers):
        if after.in_features != before.out_features:
            raise _unsuitable(f"'{name}' with {after.in_features} inputs")
    if not layers:
        raise _unsuitable("none")
    return layers


def _unsuitable(found: str) -> PermanentError:
    return PermanentError(
        "the bound on linear regions is for perceptrons: it needs linear layers alone, each with "
        f"as many inputs as the one before has outputs, as in lenet300_100; found {found}"
    )
