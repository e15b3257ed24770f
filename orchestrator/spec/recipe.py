"""Training recipes in a sweep file: any of the fields, laid over each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

from orchestrator.spec.model import Section
from workers.contracts import Training

Positive = Annotated[float, Field(gt=0)]


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
    schedule: Literal["constant", "multi_step", "cosine", "polynomial"] = Field(
        default=Training.schedule, description="How the learning rate falls."
    )
    milestones: tuple[Positive, ...] = Field(
        default=Training.milestones,
        strict=False,
        description="multi_step: epochs at which the rate is multiplied by gamma.",
    )
    gamma: float = Field(default=Training.gamma, gt=0, le=1, description="multi_step: factor.")
    power: float = Field(default=Training.power, gt=0, description="polynomial: (1 - t)^power.")
    warmup: float = Field(
        default=Training.warmup, ge=0, description="Epochs in which the rate rises from 0."
    )
    crop: int = Field(
        default=Training.crop, ge=0, description="Pad by so many pixels, then crop at random."
    )
    flip: bool = Field(default=Training.flip, description="Mirror half of the images.")
    precision: Literal["fp32", "bf16"] = Field(
        default=Training.precision, description="Arithmetic of training."
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
    for earlier, later in pairwise(recipe.milestones):
        if later <= earlier:
            yield "milestones", f"expected ascending milestones, found {later:g} after {earlier:g}"
    for milestone in recipe.milestones:
        if milestone >= recipe.epochs:
            what = f"milestone {milestone:g} is not within the {recipe.epochs} epochs of {purpose}"
            own = ", give retraining milestones of its own" if purpose == "retraining" else ""
            yield "milestones", what + own
    if recipe.warmup > recipe.epochs:
        yield (
            "warmup",
            f"warmup of {recipe.warmup:g} exceeds the {recipe.epochs} epochs of {purpose}",
        )
    if recipe.nesterov and not recipe.momentum:
        yield "nesterov", "nesterov needs a momentum above 0"
