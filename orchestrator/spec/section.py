"""What the parts of a sweep are made of: immutable models, and sections of the file itself."""

from __future__ import annotations

from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from orchestrator.spec.mistakes import findings, reject


class Frozen(BaseModel):
    """Immutable, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Section(Frozen):
    """A mapping of the sweep file: nothing is converted, and mistakes are in its author's words."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, value: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(value)
        except ValidationError as error:
            known = [field.alias or name for name, field in cls.model_fields.items()]
            reject(*findings(error, known=known))
