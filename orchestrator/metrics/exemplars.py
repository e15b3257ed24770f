"""Pruning identified exemplars: what pruned networks as a population see otherwise than dense ones.

Hooker et al. 2019, "What Do Compressed Deep Neural Networks Forget?" (arXiv 1911.05248).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import check_examples

FEWEST, FEW = 2, 10
"""Networks in a population: below 2 there is no mode, below 10 a shaky one; the paper has 30."""


@dataclass(frozen=True)
class Exemplars:
    """Pruning identified exemplars (PIEs) of a test set.

    Attributes:
        exemplar: whether the example is one, shape (examples,).
        count: how many are.
        fraction: of the examples.
        accuracy_on: mean accuracy of the dense networks on them; NaN without any.
        accuracy_off: the same on all others; NaN without any.
        few: a population has fewer than 10 networks, so that single networks sway the mode.

    """

    exemplar: NDArray[np.bool_]
    count: int
    fraction: float
    accuracy_on: float
    accuracy_off: float
    few: bool


def pruning_identified_exemplars(
    label: NDArray[Any], dense: NDArray[Any], pruned: NDArray[Any]
) -> Exemplars:
    """Find the examples whose modal label over dense networks is not that over pruned ones.

    Args:
        label: the true class, shape (examples,).
        dense: predictions of the dense networks, shape (networks, examples).
        pruned: those of networks pruned by one method to one ratio, likewise; not necessarily as
            many.

    Raises:
        ValueError: a population has fewer than 2 networks, or the examples differ.

    """
    check_examples(label=label, dense=dense, pruned=pruned)
    smallest = min(len(dense), len(pruned))
    if smallest < FEWEST:
        raise ValueError(f"expected at least {FEWEST} networks in a population, found {smallest}")
    exemplar = modal_label(dense) != modal_label(pruned)
    right = (dense == label).mean(axis=0)
    return Exemplars(
        exemplar=exemplar,
        count=int(exemplar.sum()),
        fraction=float(exemplar.mean()),
        accuracy_on=float(right[exemplar].mean()) if exemplar.any() else np.nan,
        accuracy_off=float(right[~exemplar].mean()) if not exemplar.all() else np.nan,
        few=smallest < FEW,
    )


def modal_label(predicted: NDArray[Any]) -> NDArray[Any]:
    """Return the label most networks predict, the largest of equally frequent ones.

    The largest, as the paper's code takes it: a rule that does not depend on the order of the
    networks.

    Args:
        predicted: shape (networks, examples).

    Returns:
        Shape (examples,).

    """
    ordered = np.sort(predicted, axis=0)
    position = np.arange(len(ordered))[:, None]
    starts = np.ones(ordered.shape, bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    run = position - np.maximum.accumulate(np.where(starts, position, 0), axis=0)
    last_longest = len(run) - 1 - run[::-1].argmax(axis=0)
    modal: NDArray[Any] = np.take_along_axis(ordered, last_longest[None], axis=0)[0]
    return modal
