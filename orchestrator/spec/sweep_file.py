"""The sweep file as its author writes it: the one model that checks it and that editors know.

Components and ladders are expanded on the way in; ``orchestrator.spec.loading`` does the rest.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
)

from orchestrator.spec.components import One, Several, repeated
from orchestrator.spec.expect import ExpectSpec
from orchestrator.spec.ladder_section import Ladder
from orchestrator.spec.mistakes import Shape, reject_any
from orchestrator.spec.model import (
    AnalysisSpec,
    ResourcesSpec,
    TrackingSpec,
)
from orchestrator.spec.recipe import RecipeSection
from orchestrator.spec.schedules import Schedules, Written
from orchestrator.spec.section import Section
from orchestrator.spec.tasks_section import TasksSection
from workers.contracts import Component, Parity, Schedule
from workers.registry import DATA_SETS, MEASURES, METHODS, MODELS

Name = Annotated[str, Shape(r"\w[\w.+-]*", "a name of letters, digits and . _ + -")]
Model = Annotated[Component, One(MODELS)]
Data = Annotated[Component, One(DATA_SETS)]
Methods = Annotated[list[Component], Several(METHODS)]
Measures = Annotated[list[Component], Several(MEASURES)]


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


def _store(location: str) -> str:
    # Here, because its package imports pyarrow, which printing the schema does without.
    from orchestrator.store import StoreError
    from orchestrator.store.location import check_location

    try:
        return check_location(location)
    except StoreError as error:
        raise ValueError(str(error)) from None


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
    ratios: Ladder = Field(description="The ladder of prune ratios.")
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
    store: Annotated[str, AfterValidator(_store)] | None = Field(
        default=None,
        description="Results: a folder, relative to this file, or s3://bucket/path; options such"
        " as ?endpoint_override=http://host:9000 may follow, credentials may not.",
    )
    data_root: str | None = Field(
        default=None, description="Folder of the data sets, relative to this file."
    )
    tracking: TrackingSpec = Field(default=TrackingSpec(), description="MLflow.")
    expect: ExpectSpec = Field(
        default=ExpectSpec(), description="What verify-results compares the sweep with."
    )
