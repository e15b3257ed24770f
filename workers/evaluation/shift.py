"""The test images of another data set, for a task that puts them in place of the network's own."""

from __future__ import annotations

from pathlib import Path

from workers.contracts import DataError, Images, TaskCell
from workers.registry import DATA_SETS, TASKS


def images_of(cell: TaskCell, clean: Images, root: Path) -> Images:
    """Return what a task tests on: ``clean``, or the test split of the data set that it names.

    Raises:
        DataError: that data set is missing, unreadable or changed since the sweep was planned, or
            does not fit a network made for ``clean``.

    """
    component = TASKS.create(cell.task).replaces()
    if component is None:
        return clean
    wanted = f"{component} {cell.fingerprint} {root}"
    if wanted not in _WARM:
        data_set = DATA_SETS.create(component)
        if cell.fingerprint and data_set.fingerprint(root) != cell.fingerprint:
            raise DataError(
                f"the data of {cell.label} at {root} are not those that the sweep was planned "
                "with: put the same files on every machine, and plan again if they changed"
            )
        _WARM.clear()
        _WARM[wanted] = data_set.load("test", root)
    _check_fit(cell, _WARM[wanted], clean)
    return _WARM[wanted]


def _check_fit(cell: TaskCell, images: Images, clean: Images) -> None:
    fits = images.pixels.shape[1:] == clean.pixels.shape[1:]
    if images.labels.ndim != clean.labels.ndim:
        raise DataError(f"{cell.label}: its labels are not of the kind of the network's")
    if clean.labels.ndim == 1:
        fits = fits and images.labels.max() <= clean.labels.max()
    if not fits:
        raise DataError(
            f"{cell.label} does not fit: it has {_extent(images)}, the network's own data have "
            f"{_extent(clean)}"
        )


def _extent(images: Images) -> str:
    height, width, channels = images.pixels.shape[1:]
    return f"{width} x {height} x {channels} pixels and labels up to {images.labels.max()}"


_WARM: dict[str, Images] = {}
