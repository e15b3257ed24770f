"""``plan`` and ``run``."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.arguments import (
    ExecutorName,
    File,
    Json,
    Output,
    Sets,
    Uri,
    open_sweep,
    spell,
)
from orchestrator.cli.output import fail, show, show_json

if TYPE_CHECKING:
    from orchestrator.plan.estimate import Estimate
    from orchestrator.plan.state import State
    from orchestrator.sweep import Sweep


def plan(
    file: File,
    sets: Sets = None,
    as_json: Json = False,
    estimate: Annotated[bool, typer.Option(help="Estimate time and disk.")] = True,
) -> None:
    """Show what a sweep asks for, what is cached, and the cost.

    Nothing is downloaded, and nothing written but the checksums of image files, once.
    """
    from orchestrator.cli import tables
    from orchestrator.execution.driver import check
    from orchestrator.plan.naive import naive_epochs

    sweep = open_sweep(file, sets)
    state = sweep.state()
    check(sweep, state)
    judged = _estimate(sweep, state) if estimate else None
    if not as_json:
        show(tables.plan_table(sweep.plan, state, sweep.outcome, judged))
        return
    show_json(
        {
            "sweep": sweep.spec.name,
            "counts": tables.plan_counts(state, sweep.outcome),
            "naive_epochs": naive_epochs(sweep.plan),
            "estimate": vars(judged) if judged else None,
            "chains": {chain.name: list(chain.networks) for chain in sweep.plan.chains},
            "tasks": {task.label: task.key for task in sweep.plan.tasks},
        }
    )


def run(
    file: File,
    sets: Sets = None,
    executor: Annotated[
        ExecutorName,
        typer.Option(help="Where the chains run: Ray's workers, or this process, one by one."),
    ] = ExecutorName.ray,
    tracking_uri: Uri = None,
    output: Output = None,
    report: Annotated[bool, typer.Option(help="Write the report at the end.")] = True,
) -> None:
    """Do what is missing of a sweep, then write its report.

    Run it again to resume it, to try again what failed, or after adding to the file: what is in the
    store is never computed again.
    """
    from orchestrator.cli.result_commands import write_report
    from orchestrator.execution.driver import drive

    sweep = open_sweep(file, sets)
    options = [] if executor is ExecutorName.ray else ["--executor", executor.value]
    again = spell("run", file, sets, *options)
    try:
        driven = drive(sweep, executor.value, tracking_uri)
    except KeyboardInterrupt:
        fail(f"interrupted; what was committed is kept. Resume with: {again}", 130)
    if report:
        write_report(sweep, output, publish_to=tracking_uri, publish=driven.published)
        print(f"curves: {spell('ui', file, sets)}")
    if failed := driven.outcome.failed:
        chains = "1 chain" if len(failed) == 1 else f"{len(failed):,} chains"
        fail(f"{chains} failed; try again with: {again}", 1)


def _estimate(sweep: Sweep, state: State) -> Estimate:
    from orchestrator.execution.assembly import workers_of
    from orchestrator.execution.driver import prober
    from orchestrator.plan.estimate import estimate
    from orchestrator.plan.overheads import OVERHEADS

    with redirect_stdout(sys.stderr):  # somebody's network may print
        return estimate(sweep.plan, state, sweep.store, prober(sweep), workers_of(sweep), OVERHEADS)
