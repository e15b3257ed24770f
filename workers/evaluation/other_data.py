"""Another data set that a task is tested on: the one that the sweep was planned with, and warm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workers.contracts import Component, DataError, DataSet, Images, TaskCell
from workers.registry import DATA_SETS


def planned_data(cell: TaskCell, data: Component, root: Path) -> DataSet:
    """Open the data set that ``cell`` is tested on.

    Raises:
        DataError: it is missing, unreadable or changed since the sweep was planned.

    """
    data_set = DATA_SETS.create(data)
    if cell.fingerprint and data_set.fingerprint(root) != cell.fingerprint:
        raise DataError(
            f"the data of {cell.label} at {root} are not those that the sweep was planned with: "
            "put the same files on every machine, and plan again if they changed"
        )
    return data_set


def warm(wanted: str, load: Callable[[], Images]) -> Images:
    """Return the images called ``wanted``, which are loaded unless they were the last ones."""
    if wanted not in _LAST:
        loaded = load()
        _LAST.clear()
        _LAST[wanted] = loaded
    return _LAST[wanted]


_LAST: dict[str, Images] = {}
