"""How far a sweep is at one moment, in words and numbers alone, so that it travels as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.sweep import Sweep

KINDS = ("networks", "cells", "measures")


@dataclass(frozen=True)
class JobLook:
    """The newest job of a sweep on a cluster.

    Attributes:
        id: its submission id.
        status: as Ray names it.
        message: what Ray says of its end.
        progress: the share, the amounts and the time left that a driver at work told last.
        lines: the last ones of its log.

    """

    id: str
    status: str
    message: str
    progress: str
    lines: Sequence[str]

    @property
    def live(self) -> bool:
        """Whether it is at work, or will be."""
        return self.status in ("PENDING", "RUNNING")


@dataclass(frozen=True, kw_only=True)
class Look:
    """A sweep at one moment.

    Attributes:
        sweep: its name.
        store: where it was counted.
        counts: of chains, networks, cells, measures and epochs: all, cached, missing, blocked.
        chains: the state of each, one of ``tables.STATES``, in the plan's order.
        unfinished: of each chain that is not complete, how much of which kind is done, of how much.
        failed: the chains that the last run could not do, each with the cause.
        blocked: the chains that waited for one of those.
        job: its newest job, if a cluster was asked and has one.

    """

    sweep: str
    store: str
    counts: Mapping[str, Mapping[str, int]]
    chains: Mapping[str, str]
    unfinished: Mapping[str, Mapping[str, Sequence[int]]]
    failed: Mapping[str, str]
    blocked: Mapping[str, str]
    job: JobLook | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is counted of each chain."""
        return tuple(kind for kind in KINDS if kind in self.counts)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen; what failed is tried again by another run alone."""
        if self.job is not None:
            return not self.job.live
        return all(state in ("complete", "failed", "blocked") for state in self.chains.values())


def look_at(sweep: Sweep) -> Look:
    """Count what the store holds of ``sweep``."""
    from orchestrator.cli import tables
    from orchestrator.execution.outcome import read_outcome
    from orchestrator.store.verify import worked_on

    outcome = read_outcome(sweep.store, sweep.spec.name)
    busy = worked_on(sweep.store)
    state = sweep.state()
    counts = tables.plan_counts(state, outcome)
    kinds = [kind for kind in KINDS if kind in counts]
    return Look(
        sweep=sweep.spec.name,
        store=str(sweep.store.location),
        counts=counts,
        chains={one.chain.name: tables.chain_state(one, outcome, busy) for one in state.chains},
        unfinished={
            one.chain.name: {kind: one.tally.of(kind)[::-1] for kind in kinds}
            for one in state.chains
            if not one.complete
        },
        failed=dict(outcome.failed),
        blocked=dict(outcome.blocked),
    )
