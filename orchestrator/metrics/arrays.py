"""What the metrics ask of the arrays they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def check_examples(**arrays: NDArray[Any]) -> None:
    """Make sure that the arrays are about the same examples, and that there are some.

    Args:
        arrays: by name, each of shape (..., examples).

    Raises:
        ValueError: their last axes differ in length, or are empty.

    """
    sizes = {name: np.shape(array)[-1:] for name, array in arrays.items()}
    found = ", ".join(f"{name} {size[0] if size else 'a scalar'}" for name, size in sizes.items())
    if len(set(sizes.values())) != 1 or () in sizes.values():
        raise ValueError(f"expected arrays over the same examples, found lengths: {found}")
    if (0,) in sizes.values():
        raise ValueError(f"expected at least one example, found lengths: {found}")


def check_labels(label: NDArray[Any], classes: int) -> None:
    """Make sure that labels are whole numbers from 0 to ``classes`` − 1.

    Raises:
        ValueError: one is not.

    """
    if not np.issubdtype(label.dtype, np.integer):
        raise ValueError(f"expected whole numbers as labels, found {label.dtype}")
    if label.min() < 0 or label.max() >= classes:
        low, high = label.min(), label.max()
        raise ValueError(f"expected labels from 0 to {classes - 1}, found {low} to {high}")


def check_probabilities(probability: NDArray[Any], name: str) -> None:
    """Make sure that numbers lie between 0 and 1, but for what a device rounds.

    Raises:
        ValueError: one does not, or is NaN.

    """
    if not ((probability >= -1e-6) & (probability <= 1 + 1e-6)).all():
        low, high = probability.min(), probability.max()
        raise ValueError(f"expected {name} from 0 to 1, found {low:g} to {high:g}")
