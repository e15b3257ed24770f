"""Whether tasks and measures fit the networks, as far as can be told before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.spec.mistakes import SweepError
from workers.contracts import Chain, Component, DataError, Measure, Task
from workers.registry import DATA_SETS, MEASURES, TASKS

if TYPE_CHECKING:
    from orchestrator.spec import MeasureSpec, NetworkSpec, TaskSpec

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


def check_measures(measures: Iterable[MeasureSpec], networks: Sequence[NetworkSpec]) -> None:
    """Make sure that each measure is one for networks on such data.

    Raises:
        SweepError: some are not, one line for each network.

    """
    kinds = {network.name: DATA_SETS.get(network.data.name).labels for network in networks}
    _refuse(
        _line(measure, name, f"its data have {KINDS[kind]}")
        for measure in measures
        for name, kind in kinds.items()
        if kind not in MEASURES.get(measure.measure.name).labels
    )


def check_networks(
    measures: Sequence[MeasureSpec],
    chains: Iterable[Chain],
    misfits: Callable[[Chain], Sequence[str]],
) -> None:
    """Make sure that each measure suits the networks that it will look at.

    Args:
        measures: those of the sweep.
        chains: what is pending.
        misfits: told a chain, says of every measure why its network cannot be measured so, or
            nothing; it is not asked where all measures suit any network.

    Raises:
        SweepError: some do not, one line for each network.

    """
    if not any(map(_particular, measures)):
        return
    networks = {chain.network: chain for chain in chains if chain.measures}
    _refuse(
        _line(measure, name, misfit)
        for name, chain in networks.items()
        for measure, misfit in zip(measures, misfits(chain), strict=True)
        if misfit
    )


def _particular(measure: MeasureSpec) -> bool:
    return MEASURES.get(measure.measure.name).check is not Measure.check


def _line(measure: MeasureSpec, network: str, misfit: str) -> str:
    return f"{measure.place}: {measure.label} does not fit {network}: {misfit}"


def _refuse(lines: Iterable[str]) -> None:
    if found := list(lines):
        raise SweepError(*found)


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
