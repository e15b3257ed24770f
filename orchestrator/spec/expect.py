"""What a sweep is expected to show: the section ``expect`` of its file, which changes no number."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from orchestrator.spec.mistakes import reject
from orchestrator.spec.section import Section

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
        return self


class SlopeSection(Section):
    """The slope of the excess error that methods are expected to have."""

    network: str | None = Field(default=None, description="Its name; null: every network.")
    values: dict[str, float] = Field(min_length=1, description="Slope by method label.")
    tolerance: float = Field(ge=0, description="How far off is still as expected.")


class ExpectSpec(Section):
    """What ``prunesweep verify-results`` compares a sweep with.

    A method, task or network that the sweep does not have is no mistake: whoever runs a part of a
    sweep would otherwise have to cut its expectations too.
    """

    potential: list[PotentialSection] = Field(default=[], description="Prune potentials.")
    slope: list[SlopeSection] = Field(default=[], description="Slopes of the excess error.")
    claims: list[ClaimName] = Field(default=[], description="Shapes of the results.")

    @property
    def given(self) -> bool:
        """Whether anything is expected at all."""
        return bool(self.potential or self.slope or self.claims)
