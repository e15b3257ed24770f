"""Which classes lose more, or less, by pruning than the network as a whole.

Hooker et al. 2019, "What Do Compressed Deep Neural Networks Forget?" (arXiv 1911.05248).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import Array
from orchestrator.metrics.multiple_tests import holm
from orchestrator.metrics.t_tests import welch_t


@dataclass(frozen=True)
class ClassTests:
    """One test per class, each array of shape (classes,).

    Attributes:
        shift: how much the class gains by pruning beyond what mean accuracy does; negative where it
            loses more than the average.
        t: Welch's statistic, positive where the dense networks are better at the class.
        freedom: its degrees of freedom.
        p: two-sided.
        adjusted_p: after Holm over the classes that could be tested.

    """

    shift: Array
    t: Array
    freedom: Array
    p: Array
    adjusted_p: Array


def class_level_tests(
    dense_recall: NDArray[Any],
    dense_accuracy: NDArray[Any],
    pruned_recall: NDArray[Any],
    pruned_accuracy: NDArray[Any],
) -> ClassTests:
    """Test for each class whether recall − mean accuracy differs between dense and pruned networks.

    The samples are networks. The mean accuracy is that of their population, as in the paper, so
    that a constant is taken off. Networks that share seeds rise and fall together, which Welch's
    test does not use: it is then, if anything, too careful.

    Args:
        dense_recall: recall of each class, shape (networks, classes); NaN for a class without
            examples.
        dense_accuracy: of the same networks, shape (networks,).
        pruned_recall: those of networks pruned by one method to one ratio, likewise; not
            necessarily as many.
        pruned_accuracy: likewise.

    Raises:
        ValueError: the classes differ, or the networks of recall and accuracy do.

    """
    if dense_recall.shape[1:] != pruned_recall.shape[1:]:
        shapes = f"{dense_recall.shape} and {pruned_recall.shape}"
        raise ValueError(f"expected recall of the same classes, found shapes {shapes}")
    dense = _beside_the_mean(dense_recall, dense_accuracy)
    pruned = _beside_the_mean(pruned_recall, pruned_accuracy)
    found = welch_t(dense, pruned)
    shift = pruned.mean(axis=-1) - dense.mean(axis=-1)
    return ClassTests(shift, found.t, found.freedom, found.p, holm(found.p))


def _beside_the_mean(recall: NDArray[Any], accuracy: NDArray[Any]) -> Array:
    if len(recall) != len(accuracy):
        found = f"{len(recall)} and {len(accuracy)}"
        raise ValueError(f"expected recall and accuracy of the same networks, found {found}")
    beside: Array = np.asarray(recall, np.float64).T - np.mean(accuracy)
    return beside
