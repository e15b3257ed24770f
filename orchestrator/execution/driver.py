"""One run of a sweep: what is missing goes to an executor, and what is committed to MLflow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace

from orchestrator.cluster.job_folder import expect_lasting
from orchestrator.execution.assembly import make_executor, open_tracker, runtime
from orchestrator.execution.frontier import Outcome
from orchestrator.execution.log import progress_of
from orchestrator.execution.numbers import Numbers
from orchestrator.execution.outcome import OutcomeSoFar, write_outcome
from orchestrator.plan.fit import check_networks
from orchestrator.plan.state import State
from orchestrator.plan.to_do import to_do
from orchestrator.sweep import Sweep
from orchestrator.tracking.background import BackgroundTracker, catch_up
from orchestrator.tracking.location import TrackingError
from orchestrator.tracking.tracker import Tracker
from workers.contracts import Chain, Cost, Event


@dataclass(frozen=True)
class Driven:
    """How a run ended, and whether MLflow has all of it."""

    outcome: Outcome
    published: bool


def drive(sweep: Sweep, executor: str, uri: str | None) -> Driven:
    """Run what ``sweep`` lacks, show progress, keep MLflow up to date, and note what failed.

    Raises:
        KeyboardInterrupt: the user stopped it; everything committed is valid and stays, what failed
            is noted, and what failed in the run before counts as not tried yet.
        TrackingError: the tracking URI cannot be used at all.
        ResourcesError: a chain asks for more than there is.
        SweepError: a measure does not suit a network.
        ClusterError: the store would go with the job that this is.

    """
    expect_lasting(sweep.spec.store)
    state = sweep.state()
    check(sweep, state)
    tracker = open_tracker(sweep, uri)
    if state.pending:
        driven = _run(sweep, state, executor, tracker)
    else:
        print(f"nothing to do: all {state.total.cells:,} cells of {sweep.spec.name} are cached")
        driven = Driven(Outcome(), _publish(tracker))
    write_outcome(sweep.store, sweep.spec.name, driven.outcome)
    return driven


def check(sweep: Sweep, state: State) -> None:
    """Find out with untrained networks whether the measures of what is pending suit them.

    Raises:
        SweepError: one does not.

    """

    def ask(chain: Chain) -> Sequence[str]:
        from workers.probe import misfits

        with redirect_stdout(sys.stderr):  # somebody's network may print
            return misfits(chain, runtime(sweep))

    check_networks(sweep.spec.measures, state.pending, ask)


def _run(sweep: Sweep, state: State, executor: str, tracker: Tracker) -> Driven:
    background = BackgroundTracker(tracker, _warn)
    missing = to_do(sweep.plan, state, sweep.store)
    total = state.total
    cached = {"networks": total.networks_cached, "cells": total.cells_cached}
    with progress_of(sweep.spec.name, state.pending, missing) as progress:

        def abandon(error: Exception) -> None:
            from orchestrator.cluster.lifelines import end_process

            background.close()
            progress.__exit__(type(error), error, None)
            end_process(error)

        def numbers() -> Numbers:
            return replace(progress.numbers(), cached=cached)

        runner = make_executor(sweep, executor, numbers, abandon)

        so_far = OutcomeSoFar(sweep.store, sweep.spec.name)

        def report(event: Event) -> None:
            so_far.report(event)
            progress.report(event)
            background.report(event)

        try:
            outcome = runner.run(state.pending, sweep.plan.tasks, state.done, report)
        finally:
            so_far.close()
            published = background.close()
    return Driven(outcome, published)


def _publish(tracker: Tracker) -> bool:
    try:
        tracker.publish()
    except TrackingError as error:
        _warn(f"{error}\n{catch_up(tracker)}")
        return False
    return True


def prober(sweep: Sweep) -> Callable[[Chain], Cost | None]:
    """Return what judges the cost of a chain's network by timing a few steps on this machine."""

    def measure(chain: Chain) -> Cost | None:
        from workers.probe import probe

        return probe(chain, runtime(sweep))

    return measure


def _warn(message: str) -> None:
    print(message, file=sys.stderr)
