"""What a report tells besides the results: the sweep, how it ran, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ACCURACY = "accuracy"
MEAN_IOU = "mean IoU"


@dataclass(frozen=True, kw_only=True)
class RatioMiss:
    """A network whose achieved prune ratio is further from the requested one than tolerated."""

    chain: str
    requested: float
    achieved: float


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What the sweep holds, and what it took.

    Attributes:
        networks: networks trained or retrained, parents included.
        cells: evaluations, one per network and task.
        epochs: epochs trained, over all networks.
        seconds: time spent in training, summed over networks.

    """

    networks: int
    cells: int
    epochs: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """The sweep behind a report.

    Attributes:
        name: of the sweep.
        text: the sweep file, verbatim.
        commands: command lines that reproduce the report, in order.
        delta: the margin δ shown first, as a fraction (0.005 is half a percentage point).
        rule: the rule of the prune potential shown first, ``any`` or ``contiguous``.
        confidence: of all intervals, as a fraction.
        grid_step: the widest gap between neighbouring rungs of the ladder, as a fraction.
        networks: names, in sweep order.
        methods: labels, in sweep order; the order fixes colours and markers.
        schedules: in sweep order.
        tasks: labels, in sweep order.
        created: when the report was made; given from outside, so that the output is deterministic.
        counts: what the sweep holds.
        environment: what it ran on, name to value, in the order to show.
        failures: (chain, cause) of each failed chain.
        blocked: (chain, the failed chain it waited for).
        missing: (what, how many) that a partial sweep still lacks.
        ratio_misses: networks outside the tolerance of their prune ratio.
        measures: the options of each measure by its label, defaults among them.
        segmented: the networks whose data label every pixel; they are judged by the mean IoU.

    """

    name: str
    text: str
    commands: tuple[str, ...]
    delta: float
    rule: str
    confidence: float
    grid_step: float
    networks: tuple[str, ...]
    methods: tuple[str, ...]
    schedules: tuple[str, ...]
    tasks: tuple[str, ...]
    created: datetime
    counts: Counts
    environment: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[tuple[str, str], ...] = ()
    blocked: tuple[tuple[str, str], ...] = ()
    missing: tuple[tuple[str, int], ...] = ()
    ratio_misses: tuple[RatioMiss, ...] = ()
    measures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    segmented: tuple[str, ...] = ()

    def metric(self, network: str) -> str:
        """Name what a network is judged by; its error is one minus that."""
        return MEAN_IOU if network in self.segmented else ACCURACY
