"""What networks are tested on, as the author of a sweep writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from orchestrator.spec.components import repeated
from orchestrator.spec.mistakes import reject_any
from orchestrator.spec.section import Section
from orchestrator.spec.suites import Suites
from workers.contracts import Component
from workers.registry import SUITES, TASKS

Tasks = Annotated[list[Component], Suites(TASKS, SUITES)]


class TasksSection(Section):
    """What networks are tested on: on either side of the distribution shift, and beside it."""

    train: list[Tasks] = Field(
        default=[[Component("nominal")]], min_length=1, description="The train distribution."
    )
    test: list[Tasks] = Field(default=[], description="The shifted distribution.")
    other: list[Tasks] = Field(
        default=[],
        description="What no prune potential is asked of: foreign images, members of the training.",
    )

    @model_validator(mode="after")
    def _distinct(self) -> TasksSection:
        places = [("train", i) for i in range(len(self.train))]
        places += [("test", i) for i in range(len(self.test))]
        places += [("other", i) for i in range(len(self.other))]
        found = repeated("task", [*self.train, *self.test, *self.other])
        reject_any((places[index], what) for index, what in found)
        return self

    @model_validator(mode="after")
    def _on_test_images(self) -> TasksSection:
        sides = (("train", self.train), ("test", self.test))
        reject_any(
            ((side, index), f"'{one.name}' has {lack}: move it to 'other'")
            for side, elements in sides
            for index, variants in enumerate(elements)
            for one in variants
            if (lack := _lack(one))
        )
        return self


def _lack(task: Component) -> str:
    """What a task lacks to have a prune potential."""
    if not TASKS.get(task.name).labelled:
        return "no labels, so no accuracy"
    return "no test images" if TASKS.create(task).members() else ""
