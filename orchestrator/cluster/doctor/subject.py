"""What the machines are examined for: a sweep, or what the environment says of all sweeps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.search_path import extend_search_path, no_bytecode, search_path
from orchestrator.spec import SweepSpec
from orchestrator.spec.loading import load_sweep
from orchestrator.tracking.location import SQLITE, resolve_uri
from workers.contracts import Component
from workers.registry import TASKS


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a sweep needs of a machine.

    Attributes:
        store: a folder or a URI.
        data_root: the folder of the data sets.
        data: the data sets that are read.
        cpus: how many a chain is given.
        gpus: how many a chain is given.
        uri: MLflow's tracking URI.
        experiment: the MLflow experiment, empty where no sweep is named.
        folders: where plug-ins of the user's own may lie.

    """

    store: Path | str
    data_root: Path
    data: tuple[Component, ...] = ()
    cpus: int = 1
    gpus: float = 0.0
    uri: str
    experiment: str = ""
    folders: tuple[str, ...] = ()

    @property
    def folder(self) -> Path | None:
        """The store if it is a folder."""
        return None if "://" in str(self.store) else Path(self.store)


def subject_of(file: Path | None, sets: Sequence[str] = ()) -> Subject:
    """Read a sweep file, or else the environment.

    Raises:
        SweepError: the file has mistakes.
        TrackingError: the tracking URI cannot be used.

    """
    if file is None:
        return _environment()
    folders = search_path(file)
    extend_search_path(folders)
    with no_bytecode():
        spec = load_sweep(file, sets)
        data = _data_sets(spec)
    return Subject(
        store=spec.store,
        data_root=spec.data_root,
        data=data,
        cpus=spec.resources.cpus,
        gpus=spec.resources.gpus,
        uri=resolve_uri(None, spec),
        experiment=spec.tracking.experiment or spec.name,
        folders=folders,
    )


def _environment() -> Subject:
    named = os.environ.get("PRUNESWEEP_STORE") or "store"
    store = named if "://" in named else Path(named).absolute()
    beside = Path() if "://" in named else Path(named)
    return Subject(
        store=store,
        data_root=Path(os.environ.get("PRUNESWEEP_DATA") or "data").absolute(),
        uri=os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{beside.absolute() / 'mlflow.db'}",
    )


def _data_sets(spec: SweepSpec) -> tuple[Component, ...]:
    """List the data sets of networks and tasks, each once."""
    found = [network.data for network in spec.networks]
    replacing = (TASKS.create(task.task).replaces() for task in spec.tasks)
    found += [data for data in replacing if data is not None]
    return tuple(one for place, one in enumerate(found) if one not in found[:place])
