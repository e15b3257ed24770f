"""Schedules as a sweep file writes them: ``cascade``, or ``{one_shot: {rewind: 4}}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator

from orchestrator.spec.mistakes import Mistake, found, reject, reject_any
from orchestrator.spec.section import Section
from workers.contracts import Schedule, Training
from workers.nearest import nearest

ORDERS = ("cascade", "one_shot")
_ONE_KEY = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})


class RetrainingSection(Section):
    """What retraining starts from, or at which rate it goes on."""

    model_config = _ONE_KEY

    rewind: int | None = Field(
        default=None,
        ge=0,
        description="The parent's weights after so many epochs, and the retraining recipe from"
        " there.",
    )
    finetune: float | None = Field(
        default=None, gt=0, description="The weights that are left, at this constant rate."
    )

    def chosen(self) -> dict[str, Any]:
        """Return the fields of the schedule that say how to retrain."""
        match self.rewind, self.finetune:
            case int() as epoch, None:
                return {"retraining": "weight_rewinding", "epoch": epoch}
            case None, float() as lr:
                return {"retraining": "finetuning", "lr": lr}
        reject(((), "expected either rewind or finetune"))


def _retraining(value: Any) -> dict[str, Any]:
    if value == "scratch":
        return {"retraining": "scratch"}
    if isinstance(value, dict):
        return RetrainingSection.model_validate(value).chosen()
    what = "expected scratch, or a mapping with rewind or finetune"
    reject(((), f"{what}, found {found(value)}"))


Retraining = Annotated[
    dict[str, Any] | None,
    PlainValidator(_retraining, json_schema_input_type=Literal["scratch"] | RetrainingSection),
]


class ScheduleSection(Section):
    """Which network every level prunes, with how it is retrained."""

    model_config = _ONE_KEY

    cascade: Retraining = Field(default=None, description="Each level prunes the one before.")
    one_shot: Retraining = Field(default=None, description="Each level prunes the parent.")

    def schedule(self) -> Schedule:
        """Return the schedule."""
        match self.cascade, self.one_shot:
            case dict() as how, None:
                return Schedule(order="cascade", **how)
            case None, dict() as how:
                return Schedule(order="one_shot", **how)
        reject(((), "expected either cascade or one_shot"))


Written = Literal["cascade", "one_shot"] | ScheduleSection


def read(value: Any) -> Schedule:
    """Check what a sweep file writes for a schedule.

    Raises:
        pydantic.ValidationError: the order or how to retrain is wrong.

    """
    match value:
        case "cascade" | "one_shot" as order:
            return Schedule(order=order)
        case dict():
            return ScheduleSection.model_validate(value).schedule()
        case str():
            reject(((), f"unknown schedule '{value}', {nearest(value, ORDERS)}"))
    what = f"expected {' or '.join(ORDERS)}, or one of them with how to retrain"
    reject(((), f"{what}, found {found(value)}"))


def repeated(schedules: Sequence[Schedule]) -> Iterator[Mistake]:
    """Find the schedules whose label an earlier one has."""
    seen: set[str] = set()
    for index, schedule in enumerate(schedules):
        if schedule.label in seen:
            yield (index,), f"duplicate schedule '{schedule.label}'"
        seen.add(schedule.label)


def _distinct(schedules: list[Schedule]) -> list[Schedule]:
    reject_any(repeated(schedules))
    return schedules


Schedules = Annotated[
    list[Annotated[Schedule, PlainValidator(read, json_schema_input_type=Written)]],
    AfterValidator(_distinct),
]


def beyond(
    schedules: Sequence[Schedule], network: str, recipes: Mapping[str, Training]
) -> Iterator[Mistake]:
    """Find the schedules that rewind to where not all ``recipes`` of ``network`` get to."""
    purpose, shortest = min(recipes.items(), key=lambda item: item[1].epochs)
    for index, schedule in enumerate(schedules):
        if schedule.retraining == "weight_rewinding" and schedule.epoch >= shortest.epochs:
            what = f"epoch {schedule.epoch} is not within the {shortest.epochs} epochs of"
            yield (index, schedule.order, "rewind"), f"{what} {purpose} of '{network}'"
