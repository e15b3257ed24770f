"""The sweep file as its author writes it: the one model that checks it and that editors know.

Components and ladders are expanded on the way in; ``orchestrator.spec.loading`` does the rest.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from orchestrator.spec import ladder
from orchestrator.spec.components import One, Several, repeated
from orchestrator.spec.expect import ExpectSpec
from orchestrator.spec.mistakes import Shape, findings, reject, reject_any
from orchestrator.spec.model import (
    AnalysisSpec,
    Fraction,
    ResourcesSpec,
    Rung,
    TrackingSpec,
)
from orchestrator.spec.recipe import RecipeSection
from orchestrator.spec.schedules import Schedules, Written
from orchestrator.spec.section import Section
from orchestrator.spec.suites import Suites
from workers.contracts import Component, Parity, Schedule
from workers.registry import DATA_SETS, MEASURES, METHODS, MODELS, SUITES, TASKS

Name = Annotated[str, Shape(r"\w[\w.+-]*", "a name of letters, digits and . _ + -")]
Model = Annotated[Component, One(MODELS)]
Data = Annotated[Component, One(DATA_SETS)]
Methods = Annotated[list[Component], Several(METHODS)]
Tasks = Annotated[list[Component], Suites(TASKS, SUITES)]
Measures = Annotated[list[Component], Several(MEASURES)]


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


class NetworkSection(Section):
    """A dense network to train and prune."""

    name: Name | None = Field(default=None, description="Default: <model>-<data>.")
    model: Model = Field(description="Architecture.")
    data: Data = Field(description="Data set.")
    training: RecipeSection = Field(
        default=RecipeSection(), description="Overrides fields of the sweep's training."
    )
    retraining: RecipeSection = Field(
        default=RecipeSection(), description="Overrides fields of the sweep's retraining."
    )


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


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _distinct(values: list[Any]) -> list[Any]:
    first = {value: index for index, value in reversed([*enumerate(values)])}
    reject_any(
        ((index,), f"duplicate {value!r}")
        for index, value in enumerate(values)
        if first[value] < index
    )
    return values


def _distinct_methods(elements: list[list[Component]]) -> list[list[Component]]:
    reject_any(((index,), what) for index, what in repeated("method", elements))
    return elements


def _distinct_measures(elements: list[list[Component]]) -> list[list[Component]]:
    reject_any(((index,), what) for index, what in repeated("measure", elements))
    return elements


class SweepFile(Section):
    """A sweep of prunesweep: networks, how they are pruned, and what they are tested on."""

    name: Name = Field(description="Names the sweep in MLflow and in the report.")
    extends: Annotated[
        list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])
    ] = Field(
        default=[],
        description="Files this one is laid over: mappings merge, the rest replaces.",
    )
    networks: list[NetworkSection] = Field(min_length=1, description="Networks to train and prune.")
    training: RecipeSection = Field(
        default=RecipeSection(), description="The recipe of every network."
    )
    retraining: RecipeSection = Field(
        default=RecipeSection(),
        description="What retraining does differently; nothing: the full recipe again.",
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**32)]], AfterValidator(_distinct)] = (
        Field(min_length=1, description="One dense parent per network and seed.")
    )
    methods: Annotated[list[Methods], AfterValidator(_distinct_methods)] = Field(
        min_length=1, description="Pruning methods; a list for a scalar option makes several."
    )
    schedule: Annotated[
        Schedules,
        BeforeValidator(_listed, json_schema_input_type=Written | list[Written]),
    ] = Field(
        default=[Schedule()],
        min_length=1,
        description="cascade: each level prunes the one before; one_shot: each prunes the parent."
        " Both retrain the weights that are left with the whole recipe, unless a mapping says"
        " otherwise: {cascade: {rewind: 4}}, {cascade: {finetune: 0.01}} or {cascade: scratch}.",
        json_schema_extra={"default": "cascade"},
    )
    ratios: Annotated[
        tuple[Rung, ...],
        PlainValidator(_rungs, json_schema_input_type=list[Ratios] | LadderSection),
    ] = Field(description="The ladder of prune ratios.")
    tasks: TasksSection = Field(default_factory=TasksSection, description="Test conditions.")
    measures: Annotated[list[Measures], AfterValidator(_distinct_measures)] = Field(
        default=[],
        description="Comparisons of the pruned networks with their parent and with the parent of"
        " another seed, beyond what they predict.",
    )
    parity: Parity = Field(
        default="paper",
        description="Which release of the paper's code is followed where its two differ; latest"
        " trains in fp16 unless a recipe says otherwise.",
    )
    analysis: AnalysisSpec = Field(default=AnalysisSpec(), description="How results are analysed.")
    resources: ResourcesSpec = Field(default=ResourcesSpec(), description="Hardware per chain.")
    store: str | None = Field(
        default=None, description="Results: a folder, relative to this file, or s3://bucket/path."
    )
    data_root: str | None = Field(
        default=None, description="Folder of the data sets, relative to this file."
    )
    tracking: TrackingSpec = Field(default=TrackingSpec(), description="MLflow.")
    expect: ExpectSpec = Field(
        default=ExpectSpec(), description="What verify-results compares the sweep with."
    )
