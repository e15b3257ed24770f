"""The test images of another data set, for a task that puts them in place of the network's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from workers.contracts import Component, DataError, DataSet, Images, TaskCell
from workers.evaluation.other_data import planned_data, warm
from workers.images.label_maps import VOID
from workers.registry import DATA_SETS, TASKS


def images_of(cell: TaskCell, clean: Images, root: Path) -> Images:
    """Return what a task tests on: ``clean``, or the test split of the data set that it names.

    The labels of the latter become those of the network's classes that they mean, and images of
    classes that the task leaves out are not there; of label maps such pixels are of no class.

    Raises:
        DataError: that data set is missing, unreadable or changed since the sweep was planned, or
            does not fit a network made for ``clean``.

    """
    component = TASKS.create(cell.task).replaces()
    if component is None:
        return clean
    images = warm(
        f"{cell.task} {cell.fingerprint} {clean.classes} {root}",
        lambda: _load(cell, component, clean, root),
    )
    _check_fit(cell, component, images, clean)
    return images


def _load(cell: TaskCell, component: Component, clean: Images, root: Path) -> Images:
    data_set = planned_data(cell, component, root)
    labels = _own_labels(cell, data_set, clean.classes, root)
    images = _relabelled(data_set.load("test", root), labels)
    if not len(images.labels):
        raise DataError(f"{cell.label} has no image of the classes that it is tested on")
    return images


def _own_labels(
    cell: TaskCell, data_set: DataSet, own: Sequence[str], root: Path
) -> Sequence[int | None]:
    try:
        return TASKS.create(cell.task).own_labels(data_set.classes(root), own)
    except ValueError as error:
        raise DataError(f"{cell.label} does not fit: {error}") from error


def _relabelled(images: Images, labels: Sequence[int | None]) -> Images:
    if list(labels) == [*range(len(labels))]:
        return images
    if images.labels.ndim > 1:
        table = np.full(VOID + 1, VOID, np.uint8)
        table[: len(labels)] = [VOID if label is None else label for label in labels]
        return Images(images.pixels, table[images.labels])
    own = np.array([-1 if label is None else label for label in labels])[images.labels]
    return Images(images.pixels[own >= 0], own[own >= 0])


def _check_fit(cell: TaskCell, data: Component, images: Images, clean: Images) -> None:
    if images.labels.ndim != clean.labels.ndim:
        raise DataError(f"{cell.label}: its labels are not of the kind of the network's")
    fits = images.pixels.shape[1:] == clean.pixels.shape[1:]
    if clean.labels.ndim == 1:
        classes = len(clean.classes) or clean.labels.max() + 1
        fits = fits and images.labels.max() < classes
    if not fits:
        raise DataError(
            f"{cell.label} does not fit: it has {_extent(images)}, the network's own data have "
            f"{_extent(clean)}{_remedy(data, images, clean)}"
        )


def _remedy(data: Component, images: Images, clean: Images) -> str:
    """Offer the option that scales images, where the data set has one and it would help."""
    height, width = clean.pixels.shape[1:3]
    scales = "size" in {option.name for option in fields(DATA_SETS.get(data.name))}
    if not scales or height != width or images.pixels.shape[1:3] == (height, width):
        return ""
    return f"; give {data.name} the option 'size': {width}"


def _extent(images: Images) -> str:
    height, width, channels = images.pixels.shape[1:]
    return f"{width} x {height} x {channels} pixels and labels up to {images.labels.max()}"
