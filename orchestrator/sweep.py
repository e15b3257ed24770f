"""A sweep that has been read and planned, with its store: what every command starts from."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.execution.frontier import Outcome
from orchestrator.execution.outcome import read_outcome
from orchestrator.plan import Plan, make_plan
from orchestrator.plan.state import State, compare
from orchestrator.report.context import Counts, RatioMiss, ReportContext
from orchestrator.search_path import extend_search_path, no_bytecode, search_path
from orchestrator.spec import SweepSpec
from orchestrator.spec.labels import label
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from workers.contracts import Record
from workers.registry import DATA_SETS, MEASURES

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results
    from orchestrator.robustness.columns import Robustness


@dataclass(frozen=True)
class Sweep:
    """A sweep file, its plan and its store."""

    spec: SweepSpec
    plan: Plan
    store: Store

    def state(self) -> State:
        """Compare the plan with what the store holds now."""
        return compare(self.plan, self.store)

    @cached_property
    def outcome(self) -> Outcome:
        """What the last run could not do."""
        return read_outcome(self.store, self.spec.name)


def open_sweep(file: Path, overrides: Sequence[str] = ()) -> Sweep:
    """Read, check and plan ``file``.

    Nothing is written to the store; checksums of image files are kept beside the data.
    Plug-ins of the user's own may lie beside ``file`` or in the current folder.

    Raises:
        SweepError: the file has mistakes.
        DataError: data are missing.

    """
    extend_search_path(search_path(file))
    with no_bytecode():
        spec = load_sweep(file, overrides)
        return Sweep(spec, make_plan(spec), Store(spec.store))


def results(sweep: Sweep) -> Results:
    """Analyse what the store holds of ``sweep``."""
    # Here, because no other command has to wait for pandas and SciPy to be imported.
    from orchestrator.analysis.analyse import AnalysisOptions, analyse
    from orchestrator.collect import collect, frame

    wanted = sweep.spec.analysis
    options = AnalysisOptions(
        deltas=wanted.deltas,
        confidence=wanted.confidence,
        rule=wanted.rule,
        resamples=wanted.resamples,
    )
    cells = frame(collect(sweep.plan, sweep.store))
    return analyse(cells[cells["distribution"] != "other"], options)


def beyond_accuracy(sweep: Sweep) -> Robustness:
    """Compute the tables on robustness from what the store holds of ``sweep``."""
    from orchestrator.robustness.tables import robustness

    return robustness(sweep.plan, sweep.store, sweep.spec.analysis.confidence)


def context(sweep: Sweep) -> ReportContext:
    """Gather what a report tells besides the results."""
    spec, state, outcome = sweep.spec, sweep.state(), sweep.outcome
    records = {key: sweep.store.record(key) for key in _committed(sweep)}
    seconds = sum(record["seconds"] for record in records.values())
    total = state.total
    ladder = [0.0, *(rung.ratio for rung in spec.ladder)]
    return ReportContext(
        name=spec.name,
        text=spec.text,
        commands=_commands(spec),
        delta=spec.analysis.deltas[0],
        rule=spec.analysis.rule,
        confidence=spec.analysis.confidence,
        grid_step=max(high - low for low, high in pairwise(ladder)),
        networks=tuple(network.name for network in spec.networks),
        methods=tuple(label(method) for method in spec.methods),
        schedules=tuple(schedule.label for schedule in spec.schedules),
        tasks=tuple(task.label for task in spec.tasks),
        created=datetime.now(UTC).replace(microsecond=0),
        counts=Counts(
            networks=total.networks_cached,
            cells=total.cells_cached,
            epochs=total.epochs_cached,
            seconds=seconds,
        ),
        environment=_environment([record["environment"] for record in records.values()]),
        failures=tuple(outcome.failed.items()),
        blocked=tuple(outcome.blocked.items()),
        missing=_missing(state),
        ratio_misses=tuple(_ratio_misses(sweep.plan, records)),
        measures={one.label: asdict(MEASURES.create(one.measure)) for one in spec.measures},
        segmented=tuple(
            network.name
            for network in spec.networks
            if DATA_SETS.get(network.data.name).labels == "map"
        ),
    )


def revision(folder: Path) -> str:
    """Return the git revision of ``folder``, with ``+`` if files are changed; or nothing."""
    try:
        head = _git(folder, "rev-parse", "HEAD")
        return head + ("+" if _git(folder, "status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _committed(sweep: Sweep) -> list[str]:
    index = sweep.store.index()
    wanted = dict.fromkeys(key for chain in sweep.plan.chains for key in chain.networks)
    return [key for key in wanted if key in index.networks]


def _commands(spec: SweepSpec) -> tuple[str, ...]:
    return tuple(f"prunesweep {verb} {spec.source.name}" for verb in ("run", "report", "ui"))


def _ratio_misses(plan: Plan, records: Mapping[str, Record]) -> Iterator[RatioMiss]:
    for chain in plan.chains:
        for key in chain.networks:
            record = records.get(key)
            if record and not record["within_tolerance"]:
                requested, achieved = record["requested_ratio"], record["achieved_ratio"]
                yield RatioMiss(chain=chain.name, requested=requested, achieved=achieved)


def _missing(state: State) -> tuple[tuple[str, int], ...]:
    total = state.total
    counts = {
        "chains": len(state.pending),
        "networks": total.networks - total.networks_cached,
        "cells": total.cells - total.cells_cached,
        "measures": total.measures - total.measures_cached,
    }
    return tuple((what, count) for what, count in counts.items() if count)


def _environment(environments: list[dict[str, str]]) -> dict[str, str]:
    """Name what the networks were made with; several values of one thing are all named."""
    seen: dict[str, Counter[str]] = {}
    for environment in environments:
        for name, value in environment.items():
            seen.setdefault(name, Counter())[value] += bool(value)
    return {
        name: ", ".join(value for value, _ in values.most_common() if value)
        for name, values in seen.items()
        if any(values.values())
    }
