"""Test images of another data set that are of none of the network's classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workers.contracts import Component, DataError, Images, PermanentError, TaskCell
from workers.evaluation.other_data import planned_data, warm


def outliers_of(cell: TaskCell, data: Component, clean: Images, root: Path) -> Images:
    """Return the test images of ``data``, all labelled −1.

    Args:
        cell: the task, for the messages, and the fingerprint of ``data`` when it was planned.
        data: the other data set.
        clean: the network's own test images.
        root: of the data.

    Raises:
        DataError: the data set is missing, unreadable or changed since the sweep was planned, or
            its images are not of the shape of ``clean``.
        PermanentError: the network is one for segmentation.

    """
    if clean.labels.ndim > 1:
        raise PermanentError(f"{cell.label} needs a network that classifies images, not pixels")
    images = warm(
        f"outliers {data} {cell.fingerprint} {root}", lambda: _unlabelled(cell, data, root)
    )
    if images.pixels.shape[1:] != clean.pixels.shape[1:]:
        raise DataError(
            f"{cell.label} does not fit: its images are {_extent(images)} pixels, the network's "
            f"own {_extent(clean)}"
        )
    return images


def _unlabelled(cell: TaskCell, data: Component, root: Path) -> Images:
    pixels = planned_data(cell, data, root).load("test", root).pixels
    return Images(pixels, np.full(len(pixels), -1, np.int64))


def _extent(images: Images) -> str:
    height, width, channels = images.pixels.shape[1:]
    return f"{width} x {height} x {channels}"
