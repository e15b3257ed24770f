"""What the tasks of a sweep are for, as the tables on robustness see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from orchestrator.plan import Plan
from orchestrator.robustness.families import NOMINAL
from workers.contracts import Task
from workers.registry import TASKS


@dataclass(frozen=True)
class Conditions:
    """The tasks of a plan, by label."""

    plan: Plan

    @cached_property
    def labels(self) -> dict[str, str]:
        """Labels by the key of the task."""
        return {task.key: task.label for task in self.plan.tasks}

    @cached_property
    def distributions(self) -> dict[str, str]:
        """``train``, ``test`` or ``other``, in the order of the sweep."""
        return {task.label: task.distribution for task in self.plan.spec.tasks}

    @cached_property
    def train(self) -> tuple[str, ...]:
        """The tasks of the train distribution."""
        return tuple(task for task, side in self.distributions.items() if side == "train")

    @property
    def clean(self) -> str:
        """What others are compared with: the nominal task, or else the first of the train side."""
        return NOMINAL if NOMINAL in self.train else self.train[0]

    @cached_property
    def outliers(self) -> frozenset[str]:
        """Tasks whose images are of none of the network's classes."""
        return frozenset(task for task, plug_in in self._plug_ins.items() if not plug_in.labelled)

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Tasks that show the network images that it was trained on."""
        return tuple(task for task, plug_in in self._plug_ins.items() if plug_in.members())

    @cached_property
    def _plug_ins(self) -> Mapping[str, Task]:
        return {task.label: TASKS.create(task.task) for task in self.plan.spec.tasks}
