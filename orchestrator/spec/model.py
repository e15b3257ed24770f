"""What a sweep is, once its file has been read: every name checked, every list expanded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from orchestrator.spec.expect import ExpectSpec
from orchestrator.spec.mistakes import Shape
from orchestrator.spec.section import Frozen, Section
from workers.contracts import Component, Parity, Schedule, Training

Distribution = Literal["train", "test", "other"]
Fraction = Annotated[float, Field(gt=0, lt=1)]
DEVICE = Shape(r"auto|cpu|cuda(:\d+)?", "auto, cpu, cuda or cuda:<index>")


class NetworkSpec(Frozen):
    """A dense network to train, and how its pruned descendants are retrained.

    ``place`` is where the sweep file names its data, as ``file:line:column: key``.
    """

    name: str
    model: Component
    data: Component
    training: Training
    retraining: Training
    place: str = ""


class Rung(Frozen):
    """One level of the ladder: ``steps`` are the ratios that are passed without retraining."""

    ratio: float
    steps: tuple[float, ...] = ()


class TaskSpec(Frozen):
    """A task, and the side of the distribution shift that it counts on, or neither.

    ``place`` is where the sweep file names it, as ``file:line:column: key``.
    """

    label: str
    task: Component
    distribution: Distribution
    place: str = ""


class MeasureSpec(Frozen):
    """A measure of the networks of every chain.

    ``place`` is where the sweep file names it, as ``file:line:column: key``.
    """

    label: str
    measure: Component
    place: str


class AnalysisSpec(Section):
    """How predictions become prune potentials and intervals."""

    deltas: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field(
        default=(0.005,),
        min_length=1,
        strict=False,
        description="Margins δ: the prune potential is the largest ratio whose error stays within"
        " δ of the parent's.",
    )
    confidence: Fraction = Field(default=0.95, description="Coverage of the intervals.")
    rule: Literal["any", "contiguous"] = Field(
        default="any",
        description="any: the largest ratio within δ; contiguous: the last one before the first"
        " ratio that is not.",
    )
    resamples: int = Field(default=2000, ge=100, description="Bootstrap resamples.")


class ResourcesSpec(Section):
    """What one chain is given, and how many run at once; no number depends on it."""

    cpus: int = Field(
        default=1, ge=1, description="CPU cores per chain; as many threads decode images from disk."
    )
    gpus: float = Field(default=0.0, ge=0, description="GPUs per chain; a share such as 0.25 too.")
    workers: int | None = Field(
        default=None, ge=1, description="Chains at once; null: as many as the resources allow."
    )
    retries: int = Field(default=2, ge=0, description="Further attempts at a chain that failed.")
    threads: int = Field(default=1, ge=1, description="Compute threads per chain.")
    silence: float = Field(
        default=6 * 3600,
        ge=0,
        description="Seconds without news after which a chain counts as hung, is ended and tried"
        " again; an epoch is the longest that it says nothing. 0: never.",
    )
    device: Annotated[str, DEVICE] = Field(
        default="auto",
        description="auto (CUDA if the chain is given GPUs, else CPU), cpu, cuda or cuda:<index>.",
    )


def _no_password(uri: str) -> str:
    # The file is copied into every report, and its mistakes are printed with what was found.
    # Databases take a password with a slash in it, and one among the options.
    if re.search(r"://[^@/?#]*:[^@]*@|[?&](ssl)?(password|passwd)=", uri, re.IGNORECASE):
        raise ValueError(
            "a password does not belong in a sweep: set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or the whole of MLFLOW_TRACKING_URI, in the environment"
        )
    return uri


class TrackingSpec(Section):
    """Where MLflow shows the sweep."""

    uri: Annotated[str, AfterValidator(_no_password)] | None = Field(
        default=None, description="MLflow tracking URI; null: a database in the store."
    )
    experiment: str | None = Field(
        default=None, description="MLflow experiment; null: the sweep's name."
    )


class SweepSpec(Frozen):
    """A sweep: networks × seeds × methods × schedules, pruned along one ladder, tested on tasks,
    compared by measures.

    ``parity`` is the release of the paper's code that is followed where its two differ; ``store``
    is an absolute path or a URL (``s3://…``); ``source`` is the sweep file, ``extended`` are those
    that it extends, and ``text`` is its content as it was read, for the record.
    """

    name: str
    networks: tuple[NetworkSpec, ...]
    seeds: tuple[int, ...]
    methods: tuple[Component, ...]
    schedules: tuple[Schedule, ...] = (Schedule(),)
    parity: Parity = "paper"
    ladder: tuple[Rung, ...]
    tasks: tuple[TaskSpec, ...]
    measures: tuple[MeasureSpec, ...] = ()
    analysis: AnalysisSpec = AnalysisSpec()
    resources: ResourcesSpec = ResourcesSpec()
    tracking: TrackingSpec = TrackingSpec()
    expect: ExpectSpec = ExpectSpec()
    store: Path | str
    data_root: Path
    source: Path
    extended: tuple[Path, ...] = ()
    text: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """The sweep file and all that it extends."""
        return (self.source, *self.extended)
