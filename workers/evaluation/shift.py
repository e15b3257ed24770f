"""The test images of another data set, for a task that puts them in place of the network's own."""

from __future__ import annotations

from pathlib import Path

from workers.contracts import DataError, Images, Task
from workers.registry import DATA_SETS


def shifted_images(task: Task, clean: Images, root: Path) -> Images | None:
    """Return the test split that ``task`` names, kept for the next network, or None.

    Raises:
        DataError: it is missing or unreadable, or does not fit a network made for ``clean``.

    """
    component = task.replaces()
    if component is None:
        return None
    wanted = f"{component} {root}"
    if wanted not in _KEPT:
        _KEPT[wanted] = DATA_SETS.create(component).load("test", root)
    images = _KEPT[wanted]
    if images.pixels.shape[3] != clean.pixels.shape[3] or images.labels.max() > clean.labels.max():
        raise DataError(
            f"{component.name} does not fit: it has {_extent(images)}, the network's own data have "
            f"{_extent(clean)}"
        )
    return images


def _extent(images: Images) -> str:
    return f"{images.pixels.shape[3]} channels and labels up to {images.labels.max()}"


_KEPT: dict[str, Images] = {}
