"""What a sweep is expected to show: the section ``expect`` of its file, which changes no number."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from orchestrator.spec.mistakes import Keys, Mistake, reject, reject_any
from orchestrator.spec.section import Section
from workers.nearest import nearest
from workers.registry import METHODS, TASKS, Registry

ClaimName = Literal[
    "rises_then_falls",
    "filters_fall_sooner",
    "weights_beat_filters",
    "noise_collapses",
    "falls_with_noise",
    "shift_costs_more",
    "robust_training_helps",
]
Share = Annotated[float, Field(ge=0, le=1)]


class PotentialSection(Section):
    """The prune potential that methods are expected to have on a task or a distribution."""

    network: str | None = Field(default=None, description="Its name; null: every network.")
    task: str | None = Field(default=None, description="A task's label, as in jpeg-3.")
    distribution: Literal["train", "test"] | None = Field(
        default=None, description="Instead of a task: over all tasks of one side of the shift."
    )
    statistic: Literal["mean", "minimum"] = Field(
        default="mean", description="Over the tasks of the distribution."
    )
    values: dict[str, Share] = Field(min_length=1, description="Potential by method label.")
    tolerance: Share = Field(description="How far off is still as expected.")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.task is None) == (self.distribution is None):
            reject(((), "expected either task or distribution"))
        if self.task is not None and "statistic" in self.model_fields_set:
            reject((("statistic",), "goes with distribution, and has no meaning for one task"))
        return self


class SlopeSection(Section):
    """The slope of the excess error that methods are expected to have."""

    network: str | None = Field(default=None, description="Its name; null: every network.")
    values: dict[str, float] = Field(min_length=1, description="Slope by method label.")
    tolerance: float = Field(ge=0, description="How far off is still as expected.")


class ExpectSpec(Section):
    """What ``prunesweep verify-results`` compares a sweep with.

    A method, task or network that the sweep does not have is no mistake: whoever runs a part of a
    sweep would otherwise have to cut its expectations too. A method or task that no plug-in makes
    is one: see ``misnamed``.
    """

    potential: list[PotentialSection] = Field(default=[], description="Prune potentials.")
    slope: list[SlopeSection] = Field(default=[], description="Slopes of the excess error.")
    claims: list[ClaimName] = Field(default=[], description="Shapes of the results.")

    @field_validator("claims")
    @classmethod
    def _once(cls, claims: list[ClaimName]) -> list[ClaimName]:
        reject_any(
            ((index,), f"duplicate claim '{name}'")
            for index, name in enumerate(claims)
            if name in claims[:index]
        )
        return claims

    @property
    def given(self) -> bool:
        """Whether anything is expected at all."""
        return bool(self.potential or self.slope or self.claims)


def misnamed(
    expect: ExpectSpec, methods: Collection[str], tasks: Collection[str]
) -> Iterator[Mistake]:
    """Find labels of methods and tasks that neither the sweep has nor a registered plug-in makes.

    Args:
        expect: what is expected.
        methods: labels of the sweep's methods, which may be of plug-ins that are not registered.
        tasks: labels of its tasks.

    Yields:
        the path of each within ``expect``, and what is wrong.

    """
    for index, one in enumerate(expect.potential):
        if one.task is not None:
            yield from _misnamed(TASKS, one.task, tasks, ("potential", index, "task"))
    values: list[tuple[Keys, Collection[str]]] = [
        *((("potential", i, "values"), one.values) for i, one in enumerate(expect.potential)),
        *((("slope", i, "values"), one.values) for i, one in enumerate(expect.slope)),
    ]
    for path, named in values:
        for method in named:
            yield from _misnamed(METHODS, method, methods, (*path, method))


def _misnamed(
    registry: Registry[Any], label: str, labels: Collection[str], path: Keys
) -> Iterator[Mistake]:
    name = label.partition("-")[0]
    if label not in labels and name not in registry.names():
        yield path, f"unknown {registry.kind} '{name}', {nearest(name, registry.names())}"
