"""A sweep's run and, nested in it, one run per chain: found before they are made, never twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchestrator.tracking.describe import sweep_tag

if TYPE_CHECKING:
    from orchestrator.tracking.runs import Run, Runs

SWEEP = "prunesweep.sweep"
NAME = "prunesweep.name"
STATUS = "prunesweep.status"
PARENT = "mlflow.parentRunId"


class Nest:
    """The runs of one sweep."""

    def __init__(self, runs: Runs, sweep: str, start: int) -> None:
        """Find the run of ``sweep``, or make it, begun at ``start`` (milliseconds since 1970)."""
        self._runs, self._name = runs, sweep
        self._of_chain: dict[str, list[Run]] = defaultdict(list)
        found = runs.find(sweep)
        tops = [run for run in found if PARENT not in run.tags]
        self.sweep = tops[0] if tops else runs.create(sweep, start, self._tags())
        for run in tops[1:]:
            runs.delete(run)
        for run in found:
            if PARENT in run.tags:
                self._of_chain[run.tags.get(NAME, "")].append(run)

    def find(self, chain: str, parameters: Mapping[str, str]) -> Run | None:
        """Return the oldest run of ``chain`` whose parameters do not contradict ``parameters``.

        Its twins, which only a race can leave, are deleted. A run that says something else (an
        older recipe, a network made anew) stays for comparison, marked as superseded.
        """
        fitting = []
        for run in self._of_chain[chain]:
            if all(parameters.get(name, value) == value for name, value in run.parameters.items()):
                fitting.append(run)
            else:
                self._supersede(run)
        for twin in fitting[1:]:
            self._runs.delete(twin)
        self._of_chain[chain] = fitting[:1]
        return fitting[0] if fitting else None

    def create(self, chain: str, start: int) -> Run:
        """Make a run for ``chain``, begun at ``start`` (milliseconds since 1970)."""
        tags = {**self._tags(), NAME: chain, PARENT: self.sweep.id}
        run = self._runs.create(chain, start, tags)
        self._of_chain[chain] = [run]
        return run

    def _tags(self) -> dict[str, str]:
        return {SWEEP: sweep_tag(self._name), "mlflow.source.name": "prunesweep"}

    def _supersede(self, run: Run) -> None:
        self._runs.write(run, {}, {STATUS: "superseded", PARENT: self.sweep.id})
        if run.status == "RUNNING":
            self._runs.conclude(run, "KILLED", run.start)
