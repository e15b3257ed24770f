"""Tables of the terminal: what a plan holds, and how far a sweep is."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.execution.frontier import Outcome
from orchestrator.plan import Plan
from orchestrator.plan.estimate import Estimate, naive_epochs
from orchestrator.plan.state import ChainState, State, Tally

ROWS = 30


def plan_table(
    plan: Plan, state: State, outcome: Outcome, estimate: Estimate | None
) -> RenderableType:
    """Show what is cached, missing and blocked, the epochs that sharing saves, and the estimate."""
    table = Table(title=f"plan of {plan.spec.name}", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for heading in ("all", "cached", "missing", "blocked"):
        table.add_column(heading, justify="right")
    for name, row in plan_counts(plan, state, outcome).items():
        table.add_row(name, *(f"{count:,}" for count in row.values()))
    parts: list[RenderableType] = [table, Text(), Text(epochs_line(plan, state))]
    if estimate:
        parts.append(Text(estimate_line(estimate)))
    return Group(*parts)


def plan_counts(plan: Plan, state: State, outcome: Outcome) -> dict[str, dict[str, int]]:
    """Count chains, networks and cells: all, cached, missing, blocked.

    Blocked is what waits for a chain that failed in the last run; it is missing too, and tried
    again.
    """
    blocked = Tally()
    for chain_state in state.chains:
        if chain_state.chain.name in outcome.blocked:
            blocked.add(chain_state.tally)
    total = state.total
    done = len(state.done)
    waiting = sum(not s.complete and s.chain.name in outcome.blocked for s in state.chains)
    return {
        "chains": _row(len(state.chains), done, waiting),
        "networks": _row(
            total.networks,
            total.networks_cached,
            blocked.networks - blocked.networks_cached,
        ),
        "cells": _row(total.cells, total.cells_cached, blocked.cells - blocked.cells_cached),
        "epochs": _row(total.epochs, total.epochs_cached, blocked.epochs - blocked.epochs_cached),
    }


def _row(everything: int, cached: int, blocked: int) -> dict[str, int]:
    missing = everything - cached
    return {"all": everything, "cached": cached, "missing": missing, "blocked": blocked}


def epochs_line(plan: Plan, state: State) -> str:
    """Say in one line what sharing parents and cascades saves."""
    naive, shared = naive_epochs(plan), state.total.epochs
    saved = 1 - shared / naive if naive else 0.0
    return (
        f"{shared:,} epochs with shared work, {naive:,} as a plain grid of independent trials"
        f" ({saved:.0%} saved)"
    )


def estimate_line(estimate: Estimate) -> str:
    """Say in one line how long and how large what is missing will be."""
    if estimate.unknown:
        names = ", ".join(estimate.unknown)
        return f"no estimate for {names}: the data are not here yet"
    return (
        f"about {duration(estimate.seconds)} and {size(estimate.bytes)} for what is missing"
        f" ({estimate.basis})"
    )


def status_table(state: State, outcome: Outcome) -> RenderableType:
    """Show every chain that is not complete, with its cause if it failed, and the totals."""
    table = Table(box=None, pad_edge=False)
    table.add_column("chain")
    table.add_column("state")
    table.add_column("networks", justify="right")
    table.add_column("cells", justify="right")
    open_chains = [chain for chain in state.chains if not chain.complete]
    for chain in open_chains[:ROWS]:
        tally = chain.tally
        table.add_row(
            chain.chain.name,
            chain_state(chain, outcome),
            f"{tally.networks_cached}/{tally.networks}",
            f"{tally.cells_cached}/{tally.cells}",
        )
    counts = Counter(chain_state(chain, outcome) for chain in state.chains)
    line = ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
    parts: list[RenderableType] = [table] if open_chains else []
    if len(open_chains) > ROWS:
        parts.append(Text(f"… and {len(open_chains) - ROWS:,} more"))
    parts.append(Text(f"{len(state.chains):,} chains: {line}"))
    parts += [Text(f"{chain}: {cause}", style="red") for chain, cause in outcome.failed.items()]
    return Group(*parts)


def chain_state(state: ChainState, outcome: Outcome) -> str:
    """Name the state of a chain: complete, failed, blocked, partial or missing."""
    name = state.chain.name
    if state.complete:
        return "complete"
    if name in outcome.failed:
        return "failed"
    if name in outcome.blocked:
        return "blocked"
    return "partial" if state.tally.networks_cached or state.tally.cells_cached else "missing"


def duration(seconds: float) -> str:
    """Write a time span with its two largest units: ``2 h 05 min``, ``3 min 20 s``, ``8 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours:02} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def size(count: float) -> str:
    """Write a number of bytes with a decimal unit: ``3.2 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
