"""``status``: how far a sweep is, from its store, and from its job where it runs on a cluster."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.arguments import File, Json, Sets, open_sweep
from orchestrator.cli.output import show, show_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import RenderableType

    from orchestrator.execution.frontier import Outcome
    from orchestrator.plan.state import State
    from orchestrator.sweep import Sweep

SECONDS = 2.0
"""Between two looks."""


@dataclass(frozen=True)
class Look:
    """A sweep at one moment; ``job`` describes its newest job, if a cluster was asked."""

    name: str
    state: State
    outcome: Outcome
    busy: set[str]
    job: dict[str, str] | None
    store: str

    @property
    def over(self) -> bool:
        """Whether nothing more will happen; what failed is tried again by another run alone."""
        if self.job is not None:
            return self.job["status"] not in ("PENDING", "RUNNING")
        ended = self.outcome.failed.keys() | self.outcome.blocked.keys()
        return all(chain.name in ended for chain in self.state.pending)

    def table(self) -> RenderableType:
        """Lay out what is unfinished and the counts."""
        from rich.console import Group
        from rich.text import Text

        from orchestrator.cli import tables

        table = tables.status_table(self.name, self.state, self.outcome, self.busy)
        if self.job is None:
            return table
        number, status, last = self.job.values()
        told = f"job {number}: {status.lower()}"
        # What runs on a cluster may be kept where this machine does not look.
        looked = f"counted in the store {self.store}; PRUNESWEEP_STORE names another"
        return Group(table, Text(told), Text(last, "dim"), Text(looked, "dim"))


def status(
    file: File,
    sets: Sets = None,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing it until it ends.")] = False,
    address: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this cluster for the sweep's job too.")
    ] = None,
) -> None:
    """Show how far a sweep is, what failed and why."""
    sweep = open_sweep(file, sets)
    job = _newest_job(file, sets, address) if address else lambda: None
    if watch:
        _watch(lambda: _look(sweep, job()))
        return
    look = _look(sweep, job())
    if as_json:
        show_json(_json(look))
    else:
        show(look.table())


def _look(sweep: Sweep, job: dict[str, str] | None) -> Look:
    from orchestrator.execution.outcome import read_outcome
    from orchestrator.store.verify import worked_on

    outcome = read_outcome(sweep.store, sweep.spec.name)
    busy = worked_on(sweep.store)
    return Look(sweep.spec.name, sweep.state(), outcome, busy, job, str(sweep.store.location))


def _newest_job(file: Path, sets: list[str] | None, address: str) -> Callable[[], dict[str, str]]:
    """Return what describes the newest job of a sweep: its id, its status, its last line."""
    from orchestrator.cli.cluster_commands import identity_of, newest
    from orchestrator.cluster.jobs import Jobs

    jobs, known = Jobs(address), identity_of(file, sets)

    def describe() -> dict[str, str]:
        job = newest(jobs, known)
        lines = jobs.log(job).strip().splitlines()
        return {"id": job.id, "status": job.status, "last": lines[-1] if lines else ""}

    return describe


def _watch(look: Callable[[], Look]) -> None:
    """Show every change: in place on a terminal, else one table after the other."""
    from rich.console import Console
    from rich.live import Live

    now = look()
    if not Console().is_terminal:
        show(now.table())
        while not now.over:
            time.sleep(SECONDS)
            before, now = now, look()
            if now != before:
                show(now.table())
        return
    with Live(now.table(), console=Console(highlight=False), auto_refresh=False) as live:
        while not now.over:
            time.sleep(SECONDS)
            now = look()
            live.update(now.table(), refresh=True)


def _json(look: Look) -> dict[str, object]:
    from orchestrator.cli import tables

    states = look.state.chains
    return {
        "sweep": look.name,
        "counts": tables.plan_counts(look.state, look.outcome),
        "chains": {s.chain.name: tables.chain_state(s, look.outcome, look.busy) for s in states},
        "failed": dict(look.outcome.failed),
        "blocked": dict(look.outcome.blocked),
        **({"job": look.job} if look.job else {}),
    }
