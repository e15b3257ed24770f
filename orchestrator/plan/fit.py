"""Whether the data sets of tasks fit the networks, as far as names tell before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workers.contracts import Component, DataError, Task
from workers.registry import DATA_SETS, MEASURES, TASKS

if TYPE_CHECKING:
    from orchestrator.spec import NetworkSpec, TaskSpec

KINDS = {"class": "one class per image", "map": "a class per pixel"}


def check_fit(tasks: Iterable[TaskSpec], networks: Sequence[NetworkSpec], root: Path) -> None:
    """Compare the classes of the data sets that ``tasks`` put in place of the networks' own.

    A task that replaces nothing, or whose images are of none of the network's classes, fits.

    Args:
        tasks: what all networks are tested on.
        networks: the networks.
        root: the folder of the data sets.

    Raises:
        DataError: the classes do not fit those of a network, or files that name them are missing.

    """
    own: dict[str, _Classes] = {}
    for task in tasks:
        plug_in = TASKS.create(task.task)
        data = plug_in.replaces()
        if data is None or not plug_in.labelled:
            continue
        own = own or {one.name: _classes(one.data, root) for one in networks}
        theirs = _classes(data, root)
        for name, classes in own.items():
            if misfit := _misfit(plug_in, theirs, classes):
                place = f"{task.place}: " if task.place else ""
                raise DataError(f"{place}{task.label} does not fit {name}: {misfit}")


def check_measures(
    measures: Sequence[Component], networks: Sequence[NetworkSpec], source: Path
) -> None:
    """Make sure that each measure is one for networks on such data.

    Raises:
        DataError: it is not.

    """
    for place, measure in enumerate(measures):
        for network in networks:
            kind = DATA_SETS.get(network.data.name).labels
            if kind not in MEASURES.get(measure.name).labels:
                where = f"{source}: measures[{place}]: {measure.name} does not fit {network.name}"
                raise DataError(f"{where}: its data have {KINDS[kind]}")


@dataclass(frozen=True)
class _Classes:
    kind: str
    names: Sequence[str]


def _classes(data: Component, root: Path) -> _Classes:
    data_set = DATA_SETS.create(data)
    return _Classes(data_set.labels, data_set.classes(root))


def _misfit(task: Task, theirs: _Classes, own: _Classes) -> str:
    if theirs.kind != own.kind:
        return f"it has {KINDS[theirs.kind]}, the network's data have {KINDS[own.kind]}"
    try:
        task.own_labels(theirs.names, own.names)
    except ValueError as error:
        return str(error)
    return ""
