"""Training recipes in a sweep file: any of the fields, laid over each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields as options_of
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from orchestrator.spec.section import Section
from workers.contracts import Training
from workers.nearest import nearest
from workers.registry import TASKS, UnknownPlugInError

Positive = Annotated[float, Field(gt=0)]


def _known_corruption(name: str) -> str:
    try:
        known = _takes(name, "severity")
    except Exception as error:  # whatever the import of somebody's module runs into
        raise ValueError(f"cannot load corruption '{name}': {error}") from error
    if not known:
        corruptions = [task for task in TASKS.names() if _takes(task, "severity")]
        raise ValueError(f"unknown corruption '{name}', {nearest(name, corruptions)}")
    return name


def _takes(name: str, option: str) -> bool:
    """Whether ``name`` is a corruption with that option."""
    try:
        task = TASKS.get(name)
    except UnknownPlugInError:
        return False
    return task.corrupts and option in {known.name for known in options_of(task)}


Corruption = Annotated[str, AfterValidator(_known_corruption)]


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class RecipeSection(Section):
    """Fields of the training recipe; those left out keep the value of the recipe below."""

    epochs: int = Field(
        default=1,
        ge=1,
        description="Passes over the training data; has no default.",
        json_schema_extra=_without_default,
    )
    batch_size: int = Field(default=Training.batch_size, ge=1, description="Images per step.")
    lr: float = Field(default=Training.lr, gt=0, description="Initial learning rate of SGD.")
    momentum: float = Field(default=Training.momentum, ge=0, lt=1, description="Of SGD.")
    nesterov: bool = Field(default=Training.nesterov, description="Nesterov momentum.")
    weight_decay: float = Field(
        default=Training.weight_decay, ge=0, description="L2 penalty on all parameters."
    )
    schedule: Literal["constant", "multi_step", "step", "cosine", "polynomial"] = Field(
        default=Training.schedule, description="How the learning rate falls."
    )
    milestones: tuple[Positive, ...] = Field(
        default=Training.milestones,
        strict=False,
        description="multi_step: epochs at which the rate is multiplied by gamma.",
    )
    period: float = Field(
        default=Training.period,
        gt=0,
        description="step: epochs after each of which the rate is multiplied by gamma.",
    )
    gamma: float = Field(
        default=Training.gamma, gt=0, le=1, description="multi_step and step: factor."
    )
    power: float = Field(default=Training.power, gt=0, description="polynomial: (1 - t)^power.")
    warmup: float = Field(
        default=Training.warmup, ge=0, description="Epochs in which the rate rises from 0."
    )
    crop: int = Field(
        default=Training.crop, ge=0, description="Pad by so many pixels, then crop at random."
    )
    flip: bool = Field(default=Training.flip, description="Mirror half of the images.")
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        default=Training.precision,
        description="Arithmetic of training; fp16 scales the loss and is for GPUs.",
    )
    mix: tuple[Corruption, ...] = Field(
        default=Training.mix,
        strict=False,
        description="Robust training: corrupt every image, anew in every epoch, by one of these at"
        " a severity of 0 (clean) to 5.",
    )
    mix_severities: Literal["cifar", "imagenet"] = Field(
        default=Training.mix_severities, description="mix: the table of severities."
    )

    def given(self) -> dict[str, Any]:
        """Return the fields that the file gives."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def combine(*sections: RecipeSection) -> dict[str, Any]:
    """Lay the given fields of ``sections`` over each other, the last on top."""
    return {name: value for section in sections for name, value in section.given().items()}


def faults(fields: Mapping[str, Any], purpose: str) -> Iterator[tuple[str, str]]:
    """Find the fields that do not fit together in the combined recipe for ``purpose``."""
    if "epochs" not in fields:
        yield "epochs", f"'epochs' is missing from the recipe of {purpose}"
        return
    recipe = Training(**fields)
    yield from _schedule_faults(recipe, purpose)
    if recipe.nesterov and not recipe.momentum:
        yield "nesterov", "nesterov needs a momentum above 0"
    yield from _mix_faults(recipe)


def _schedule_faults(recipe: Training, purpose: str) -> Iterator[tuple[str, str]]:
    within = f"the {recipe.epochs} epochs of {purpose}"
    milestones = recipe.milestones if recipe.schedule == "multi_step" else ()
    for earlier, later in pairwise(milestones):
        if later <= earlier:
            yield "milestones", f"expected ascending milestones, found {later:g} after {earlier:g}"
    for milestone in milestones:
        if milestone >= recipe.epochs:
            own = ", give retraining milestones of its own" if purpose == "retraining" else ""
            yield "milestones", f"milestone {milestone:g} is not within {within}{own}"
    if recipe.schedule == "step" and recipe.period >= recipe.epochs:
        yield "period", f"period of {recipe.period:g} is not within {within}"
    if recipe.warmup > recipe.epochs:
        yield "warmup", f"warmup of {recipe.warmup:g} exceeds {within}"


def _mix_faults(recipe: Training) -> Iterator[tuple[str, str]]:
    table = recipe.mix_severities
    for index, name in enumerate(recipe.mix):
        if name in recipe.mix[:index]:
            yield "mix", f"duplicate corruption '{name}'"
        elif table != "cifar" and not _takes(name, "severities"):
            yield "mix", f"'{name}' has no {table} severities, give 'mix_severities: cifar'"
