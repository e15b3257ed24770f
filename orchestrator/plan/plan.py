"""SweepSpec → the chains and tasks of a sweep, each with its content key.

Planning looks at no result: two plans of one sweep are equal whatever the store holds. What is
already there is ``orchestrator.plan.state``'s concern.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.plan.chains import dense_chains, measured, pruned_chains
from orchestrator.plan.content import described, fingerprint
from orchestrator.plan.fit import check_fit, check_measures
from orchestrator.plan.keys import content_key, task_payload
from orchestrator.plan.work import made_by
from workers.contracts import Chain, TaskCell
from workers.registry import DATA_SETS, METHODS, TASKS

if TYPE_CHECKING:
    from orchestrator.plan.keys import Payload
    from orchestrator.spec import SweepSpec, TaskSpec


@dataclass(frozen=True)
class Plan:
    """All that a sweep asks for: ``chains``, parents first, and ``tasks`` for every network."""

    spec: SweepSpec
    chains: tuple[Chain, ...]
    tasks: tuple[TaskCell, ...]

    @property
    def task_keys(self) -> tuple[str, ...]:
        """Keys of the tasks, in the order of the sweep."""
        return tuple(task.key for task in self.tasks)

    @property
    def keys(self) -> frozenset[str]:
        """Keys of all that the chains make: networks, checkpoints of parents, measures."""
        return frozenset(key for chain in self.chains for key in made_by(chain))


def make_plan(spec: SweepSpec) -> Plan:
    """Lay out a sweep.

    Raises:
        DataError: data are missing whose content the keys depend on, or a task's do not fit.
        SweepError: a measure is not for networks on such data.

    """
    methods = [(method, described(METHODS, method)) for method in spec.methods]
    dense: list[Chain] = []
    pruned: list[Chain] = []
    for network in spec.networks:
        parents = list(dense_chains(spec, network))
        dense += parents
        for place, parent in enumerate(parents):
            separate = parents[place - 1 if place else min(1, len(parents) - 1)]
            own = pruned_chains(spec, parent, methods, network.retraining)
            pruned += [measured(spec, chain, separate) for chain in own]
    tasks = tuple(_tasks(spec))
    check_fit(spec.tasks, spec.networks, spec.data_root)
    check_measures(spec.measures, spec.networks)
    return Plan(spec, tuple(dense + pruned), tasks)


def _tasks(spec: SweepSpec) -> Iterator[TaskCell]:
    for task in spec.tasks:
        data = _replacement(spec, task)
        key = content_key(task_payload(described(TASKS, task.task), data))
        content = data["fingerprint"] if data else ""
        yield TaskCell(key=key, label=task.label, task=task.task, fingerprint=content)


def _replacement(spec: SweepSpec, task: TaskSpec) -> Payload | None:
    data = TASKS.create(task.task).replaces()
    if data is None:
        return None
    content = fingerprint(data, spec.data_root, task.place or spec.source)
    return {**described(DATA_SETS, data), "fingerprint": content}
