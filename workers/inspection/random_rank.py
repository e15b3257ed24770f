"""How likely a random sparse matrix has which rank.

Every entry is there with the same probability, and the values of those that are there are random.
As no values cancel by chance, the rank is the structural one: the largest number of entries of
which no two share a row or a column.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import structural_rank
from scipy.stats import binom

DRAWS = 50
"""Matrices for each rank between the smallest and the largest drawn (Cai et al., 2023)."""


def analytic_ranks(outputs: int, inputs: int, density: float) -> NDArray[np.float64]:
    """Approximate the distribution of the rank by that of the number of rows that are not empty.

    Of the shorter side's rows, of a matrix turned so that there are no more rows than columns. It
    is too high where entries are so few that they fall into the same column.

    Returns:
        The probability of each rank from 0 to the smaller of ``outputs`` and ``inputs``.

    """
    rows, columns = sorted((outputs, inputs))
    some = -np.expm1(columns * np.log1p(-density)) if density < 1 else 1.0
    probabilities: NDArray[np.float64] = binom.pmf(np.arange(rows + 1), rows, some)
    return probabilities


def rank_of(mask: torch.Tensor) -> NDArray[np.float64]:
    """Be certain of the rank of matrices whose entries differ from 0 where ``mask`` does.

    Args:
        mask: (outputs, inputs).

    Returns:
        As ``analytic_ranks``.

    """
    return _certain(_structural_rank(mask != 0), min(mask.shape))


def sampled_ranks(
    outputs: int, inputs: int, density: float, generator: torch.Generator
) -> NDArray[np.float64]:
    """Estimate the distribution of the rank from random matrices, as many as it is wide.

    Args:
        outputs: rows.
        inputs: columns.
        density: probability of an entry.
        generator: on the CPU.

    Returns:
        As ``analytic_ranks``.

    """
    largest = min(outputs, inputs)
    if density in (0, 1):
        return _certain(round(density) * largest, largest)
    found: list[int] = []
    while not found or len(found) < DRAWS * (max(found) - min(found) + 1):
        found.append(_structural_rank(torch.rand(outputs, inputs, generator=generator) < density))
    return np.bincount(found, minlength=largest + 1) / len(found)


def _certain(rank: int, largest: int) -> NDArray[np.float64]:
    probabilities = np.zeros(largest + 1)
    probabilities[rank] = 1
    return probabilities


def _structural_rank(there: torch.Tensor) -> int:
    return int(structural_rank(csr_matrix(there.cpu().numpy())))
