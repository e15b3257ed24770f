"""The ladder of prune ratios as its author writes it: numbers, ranges, and groups of levels."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PlainValidator, TypeAdapter, ValidationError, field_validator

from orchestrator.spec import ladder
from orchestrator.spec.mistakes import findings, reject, reject_any
from orchestrator.spec.model import Fraction, Rung
from orchestrator.spec.section import Section


class RangeSection(Section):
    """Evenly spaced ratios, both ends included."""

    start: Fraction = Field(alias="from", description="First prune ratio.")
    stop: Fraction = Field(alias="to", description="Last prune ratio.")
    count: int = Field(ge=2, le=1000, description="How many ratios.")


class SpacingSection(Section):
    """Ratios spaced evenly: ``linear`` in the ratio, ``geometric`` in the share that is kept."""

    geometric: RangeSection | None = Field(default=None, description="Even in log(1 - ratio).")
    linear: RangeSection | None = Field(default=None, description="Even in the ratio.")

    def ratios(self) -> tuple[float, ...]:
        """Return the ratios."""
        match self.geometric, self.linear:
            case RangeSection() as span, None:
                return ladder.geometric(span.start, span.stop, span.count)
            case None, RangeSection() as span:
                return ladder.linear(span.start, span.stop, span.count)
        reject(((), "expected either geometric or linear"))


def _spaced(value: Any) -> tuple[float, ...]:
    if isinstance(value, dict):
        return SpacingSection.model_validate(value).ratios()
    return (round(_NUMBER.validate_python(value), ladder.DIGITS),)


_NUMBER: TypeAdapter[float] = TypeAdapter(Annotated[Fraction, Field(strict=True)])
Ratios = Annotated[
    tuple[float, ...], PlainValidator(_spaced, json_schema_input_type=Fraction | SpacingSection)
]


class LadderSection(Section):
    """A ladder of which only some levels are retrained."""

    ladder: list[Ratios] = Field(min_length=1, description="All prune ratios, ascending.")
    retrained: int | None = Field(
        default=None,
        ge=1,
        description="Split the ladder into so many groups; the last of each is retrained.",
    )

    @field_validator("ladder")
    @classmethod
    def _ascending(cls, elements: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
        reject_any(ladder.faults(elements))
        return elements

    def rungs(self) -> tuple[Rung, ...]:
        """Return the levels."""
        ratios = [ratio for element in self.ladder for ratio in element]
        if self.retrained and self.retrained > len(ratios):
            what = (
                f"expected at most the {len(ratios)} ratios of the ladder, found {self.retrained}"
            )
            reject((("retrained",), what))
        return ladder.rungs(ratios, self.retrained)


def _rungs(value: Any) -> tuple[Rung, ...]:
    if isinstance(value, dict):
        return LadderSection.model_validate(value).rungs()
    try:
        return LadderSection.model_validate({"ladder": value}).rungs()
    except ValidationError as error:
        reject(*((path[1:], what) for path, what in findings(error)))


Ladder = Annotated[
    tuple[Rung, ...], PlainValidator(_rungs, json_schema_input_type=list[Ratios] | LadderSection)
]
