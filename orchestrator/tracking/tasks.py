"""Which tasks the curves of a sweep are of: a table in the sweep's run that only grows.

The table is the artifact ``tasks.json``: what each task is, and which tasks each mean is of. The
parameter ``tasks`` of each chain's run names it, so that tasks can be added to a run that is there
already. A task that has changed under an old label begins another table, and with it other runs: no
curve mixes the two. So does a table that was lost.

Tags of the sweep's run list the tasks of each mean over a family. When the sweep file has other
tasks of the family, the mean is called ``<family> v2`` from then on, in all runs of the sweep;
where the view is rebuilt from nothing, names begin anew.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any

from orchestrator.robustness.families import NO_SHIFT, family
from workers.contracts import TaskCell

if TYPE_CHECKING:
    from orchestrator.tracking.runs import Run, Runs

FILE = "tasks.json"
TAG = "prunesweep.tasks"
FAMILY = "mlflow.prunesweep.family"  # MLflow's UI hides what begins so
LONGEST = 4000
"""Characters of a tag; MLflow cuts it at 8,000."""


@dataclass(frozen=True)
class Tasks:
    """The table of a sweep.

    Attributes:
        table: what identifies it.
        families: the labels of the tasks of each mean, by the mean's name.

    """

    table: str
    families: Mapping[str, tuple[str, ...]]


def enter(runs: Runs, sweep: Run, tasks: Iterable[TaskCell]) -> Tasks:
    """Enter ``tasks`` in the table of the run ``sweep``; nothing is read if all are there."""
    tasks = tuple(tasks)
    families = {_name(sweep, group, own): own for group, own in _families(tasks).items()}
    now = _digest({task.label: task.key for task in tasks})
    table, _, seen = sweep.tags.get(TAG, "").partition(" ")
    if seen != now:
        rows = {task.label: _row(task) for task in tasks}
        old = json.loads(runs.read(sweep, FILE)) if runs.has(sweep, FILE) else {}
        table, known = old.get("table", now), old.get("tasks", {})
        if any(known.get(task.label, rows[task.label])["key"] != task.key for task in tasks):
            table, known = now, {}
        means = old.get("means", {}) | families
        grown = {"table": table, "tasks": known | rows, "means": means}
        runs.attach(sweep, FILE, json.dumps(grown, indent=2).encode())
    listed = {f"{FAMILY}.{name}": _listed(own) for name, own in families.items()}
    runs.write(sweep, {}, {TAG: f"{table} {now}", **listed})
    return Tasks(table, families)


def _families(tasks: Iterable[TaskCell]) -> dict[str, tuple[str, ...]]:
    """Group the tasks that are shifts; a family of one has no mean."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        grouped[family(task.label)].append(task.label)
    return {
        group: tuple(sorted(labels))
        for group, labels in grouped.items()
        if group not in NO_SHIFT and len(labels) > 1
    }


def _name(sweep: Run, group: str, own: tuple[str, ...]) -> str:
    """Find the first name of a family that stands for these tasks, or for none yet."""
    names = (group if version == 1 else f"{group} v{version}" for version in count(1))
    listed = _listed(own)
    return next(n for n in names if sweep.tags.get(f"{FAMILY}.{n}", listed) == listed)


def _listed(labels: tuple[str, ...]) -> str:
    text = ", ".join(labels)
    return text if len(text) <= LONGEST else f"{_digest(list(labels))} {text[:LONGEST]}…"


def _row(task: TaskCell) -> dict[str, Any]:
    return {
        "key": task.key,
        "family": family(task.label),
        "task": task.task.name,
        "options": dict(task.task.options),
    }


def _digest(content: Any) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
