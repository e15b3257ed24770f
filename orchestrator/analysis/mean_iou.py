"""Mean IoU of a segmentation as a mean over images, which is what the analysis works with.

The IoU of a class is TP / (predicted + labelled − TP) over all pixels of the test set, and mean IoU
its mean over the classes that the labels show: a ratio of sums, not a mean over images. To first
order in the weights of the images it is one, of what each image adds to it (the infinitesimal
jackknife: Jaeckel 1972; Efron and Tibshirani 1993, An Introduction to the Bootstrap). The
bootstrap of those means stands for that of the mean IoU; docs/statistics.md says how closely.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GRID = 2.0**32
"""Shares are whole multiples of its reciprocal, so that float64 adds them exactly in any order."""


def mean_iou(true_positive: NDArray[Any], predicted: NDArray[Any], labelled: NDArray[Any]) -> float:
    """Return the mean IoU over a whole test set.

    Args:
        true_positive: pixels predicted as the class they are labelled as, shape (images, classes).
        predicted: pixels predicted as the class, likewise.
        labelled: pixels labelled as the class, likewise; 1 at least.

    """
    inside, union = _totals(true_positive, predicted, labelled)
    return float((inside / union).mean())


def image_shares(
    true_positive: NDArray[Any], predicted: NDArray[Any], labelled: NDArray[Any]
) -> NDArray[np.float64]:
    """Return a number for each image whose mean is the mean IoU, to 2⁻³³.

    For image i of n, and C classes with true positives TP and union U in all, it is
    mIoU + n/C Σ_c (TP_ic − IoU_c U_ic) / U_c. It may lie outside [0, 1].

    Args:
        as for ``mean_iou``.

    Returns:
        Shape (images,).

    """
    inside, union = _totals(true_positive, predicted, labelled)
    iou = inside / union
    shown = labelled.any(axis=0)
    own = true_positive[:, shown]
    own_union = predicted[:, shown] + labelled[:, shown] - own
    gained = ((own - iou * own_union) / union).mean(axis=1)
    shares: NDArray[np.float64] = np.rint((iou.mean() + len(own) * gained) * GRID) / GRID
    return shares


def _totals(
    true_positive: NDArray[Any], predicted: NDArray[Any], labelled: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum intersections and unions over the images, for each class that the labels show."""
    inside, guessed, truth = (
        part.sum(axis=0, dtype=np.int64) for part in (true_positive, predicted, labelled)
    )
    shown = truth > 0
    return inside[shown], (guessed + truth - inside)[shown]
