"""SweepSpec → the chains and tasks of a sweep, each with its content key.

Planning looks at no result: two plans of one sweep are equal whatever the store holds. What is
already there is ``orchestrator.plan.state``'s concern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.plan.keys import (
    chosen,
    content_key,
    describe,
    level_payload,
    parent_payload,
    task_payload,
)
from orchestrator.spec.labels import label
from workers.contracts import Chain, Component, DataError, Level, TaskCell
from workers.registry import DATA_SETS, METHODS, MODELS, TASKS, Registry

if TYPE_CHECKING:
    from orchestrator.plan.keys import Payload
    from orchestrator.spec import NetworkSpec, Rung, SweepSpec
    from workers.contracts import Training

Schedule = Literal["cascade", "one_shot"]


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


def make_plan(spec: SweepSpec) -> Plan:
    """Lay out a sweep.

    Raises:
        DataError: data are missing whose content the keys depend on.

    """
    methods = [(method, _describe(METHODS, method)) for method in spec.methods]
    parents: list[Chain] = []
    pruned: list[Chain] = []
    for network in spec.networks:
        for parent in _parents(spec, network):
            parents.append(parent)
            pruned += [
                _pruned(spec, parent, method, described, schedule, network.retraining)
                for method, described in methods
                for schedule in spec.schedules
            ]
    return Plan(spec, tuple(parents + pruned), tuple(_tasks(spec)))


def _tasks(spec: SweepSpec) -> Iterator[TaskCell]:
    for task in spec.tasks:
        key = content_key(task_payload(_describe(TASKS, task.task)))
        yield TaskCell(key=key, label=task.label, task=task.task)


def _parents(spec: SweepSpec, network: NetworkSpec) -> Iterator[Chain]:
    model = _describe(MODELS, network.model)
    data = _describe(DATA_SETS, network.data)
    fingerprint = _fingerprint(spec, network)
    for seed in spec.seeds:
        payload = parent_payload(model, data, fingerprint, network.training, seed)
        yield Chain(
            name=f"{network.name}/s{seed}/dense",
            network=network.name,
            model=network.model,
            data=network.data,
            fingerprint=fingerprint,
            seed=seed,
            training=network.training,
            parent=content_key(payload),
        )


def _fingerprint(spec: SweepSpec, network: NetworkSpec) -> str:
    try:
        return DATA_SETS.create(network.data).fingerprint(spec.data_root)
    except DataError as error:
        raise DataError(f"{network.place or spec.source}: {error}") from error


def _pruned(
    spec: SweepSpec,
    parent: Chain,
    method: Component,
    described: Payload,
    schedule: Schedule,
    retraining: Training,
) -> Chain:
    return replace(
        parent,
        name=f"{parent.network}/s{parent.seed}/{label(method)}/{schedule}",
        waits_for=parent.name,
        method=method,
        retraining=retraining,
        levels=tuple(_levels(spec.ladder, parent.parent, described, schedule, chosen(retraining))),
    )


def _levels(
    ladder: Sequence[Rung], parent: str, method: Payload, schedule: Schedule, retraining: Payload
) -> Iterator[Level]:
    base = parent
    steps: tuple[float, ...] = ()
    for rung in ladder:
        steps = rung.steps if schedule == "cascade" else steps + rung.steps
        key = content_key(level_payload(base, method, (*steps, rung.ratio), retraining))
        yield Level(key=key, base=base, ratio=rung.ratio, steps=steps)
        if schedule == "cascade":
            base = key


def _describe(registry: Registry[Any], component: Component) -> dict[str, Any]:
    return describe(component.name, registry.create(component))
