"""Test images of another data set that are of none of the network's classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workers.contracts import Component, DataError, Images, PermanentError, TaskCell
from workers.registry import DATA_SETS


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
    wanted = f"{data} {cell.fingerprint} {root}"
    if wanted not in _WARM:
        _WARM.clear()
        _WARM[wanted] = _load(cell, data, root)
    images = _WARM[wanted]
    if images.pixels.shape[1:] != clean.pixels.shape[1:]:
        raise DataError(
            f"{cell.label} does not fit: its images are {_extent(images)} pixels, the network's "
            f"own {_extent(clean)}"
        )
    return images


def _load(cell: TaskCell, data: Component, root: Path) -> Images:
    data_set = DATA_SETS.create(data)
    if cell.fingerprint and data_set.fingerprint(root) != cell.fingerprint:
        raise DataError(
            f"the data of {cell.label} at {root} are not those that the sweep was planned with: "
            "put the same files on every machine, and plan again if they changed"
        )
    pixels = data_set.load("test", root).pixels
    return Images(pixels, np.full(len(pixels), -1, np.int64))


def _extent(images: Images) -> str:
    height, width, channels = images.pixels.shape[1:]
    return f"{width} x {height} x {channels}"


_WARM: dict[str, Images] = {}
