"""Tables of the terminal: plans, states, damage and garbage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.execution.duration import duration
from orchestrator.execution.frontier import Outcome
from orchestrator.plan import Plan
from orchestrator.plan.estimate import Estimate
from orchestrator.plan.naive import naive_epochs
from orchestrator.plan.state import ChainState, State, Tally
from orchestrator.plan.work import made_by

if TYPE_CHECKING:
    from orchestrator.cli.look import Look
    from orchestrator.store.verify import Damage, Garbage

ROWS = 20
FAILURES = 10
STATES = ("running", "failed", "blocked", "partial", "missing", "complete")
BASIS = {"measured": "what is stored", "probed": "a few timed steps"}


def plan_table(
    plan: Plan, state: State, outcome: Outcome, estimate: Estimate | None
) -> RenderableType:
    """Show what is cached, missing and blocked, the epochs that sharing saves, and the estimate."""
    table = _table(plan.spec.name, "all", "cached", "missing", "blocked", texts=1)
    for name, row in plan_counts(state, outcome).items():
        table.add_row(name, *(f"{count:,}" for count in row.values()))
    lines = [_epochs_line(plan, state), *(_estimate_lines(estimate) if estimate else ())]
    return Group(table, Text(), *map(Text, lines))


def plan_counts(state: State, outcome: Outcome) -> dict[str, dict[str, int]]:
    """Count chains, networks, cells, measures if any, and epochs: all, cached, missing, blocked.

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
    kinds = ("networks", "cells", *(("measures",) if total.measures else ()), "epochs")
    return {"chains": _row(len(state.chains), done, waiting)} | {
        kind: _row(*total.of(kind), blocked=blocked.missing(kind)) for kind in kinds
    }


def _row(everything: int, cached: int, blocked: int) -> dict[str, int]:
    missing = everything - cached
    return {"all": everything, "cached": cached, "missing": missing, "blocked": blocked}


def _epochs_line(plan: Plan, state: State) -> str:
    naive, shared = naive_epochs(plan), state.total.epochs
    saved = 1 - shared / naive if naive else 0.0
    return f"{shared:,} epochs; as a grid of independent trials {naive:,} ({saved:.0%} saved)"


def _estimate_lines(estimate: Estimate) -> Iterator[str]:
    if estimate.basis:
        basis = " and ".join(BASIS[word] for word in estimate.basis.split(" and "))
        time = f"about {duration(estimate.seconds)}" if estimate.seconds >= 1 else "under 1 s"
        workers = "1 worker" if estimate.workers == 1 else f"{estimate.workers:,} workers"
        yield f"to do: {time} with {workers}, {size(estimate.bytes)}; judged by {basis}"
        if estimate.cache_bytes:
            yield f"corrupted test images, made once in the cache: {size(estimate.cache_bytes)}"
    elif not estimate.unknown:
        yield "nothing to do"
    for network, cause in list(estimate.unknown.items())[:FAILURES]:
        yield f"no estimate for {network}: {cause}"
    if (more := len(estimate.unknown) - FAILURES) > 0:
        yield f"and for {more:,} more networks"


def status_table(look: Look) -> RenderableType:
    """Show the chains that are not complete, what is done in all, and why chains failed."""
    table = _table(None, "chain", "state", *look.kinds, texts=2)
    unfinished = sorted(look.unfinished, key=lambda name: STATES.index(look.chains[name]))
    for name in unfinished[:ROWS]:
        shown = ("{:,}/{:,}".format(*look.unfinished[name][kind]) for kind in look.kinds)
        table.add_row(Text(name), look.chains[name], *shown)
    parts: list[RenderableType] = [table] if unfinished else []
    parts += map(Text, _rest(len(unfinished) - ROWS, "chains"))
    parts += [Text()] if unfinished else []
    counts = Counter(look.chains.values())
    listed = ", ".join(f"{counts[word]:,} {word}" for word in STATES if counts[word])
    parts.append(Text(f"{look.sweep}: {len(look.chains):,} chains: {listed}"))
    pairs = ((look.counts[kind], kind) for kind in look.kinds)
    counted = [f"{count['cached']:,} of {count['all']:,} {kind}" for count, kind in pairs]
    parts.append(Text(f"{', '.join(counted[:-1])} and {counted[-1]} are done"))
    causes = [one for one in look.failed.items() if look.chains.get(one[0]) != "complete"]
    parts += [Text(f"{chain}: {cause}", style="red") for chain, cause in causes[:FAILURES]]
    parts += map(Text, _rest(len(causes) - FAILURES, "failed chains"))
    return Group(*parts)


def chain_state(state: ChainState, outcome: Outcome, busy: Collection[str] = ()) -> str:
    """Name the state of a chain, one of ``STATES``.

    Args:
        state: what the store has of it.
        outcome: what the last run could not do.
        busy: the keys that somebody works on.

    """
    name = state.chain.name
    if state.complete:
        return "complete"
    if any(key in busy for key in made_by(state.chain)):
        return "running"
    if name in outcome.failed:
        return "failed"
    if name in outcome.blocked:
        return "blocked"
    return "partial" if state.tally.networks_cached or state.tally.cells_cached else "missing"


def damage_table(damages: Sequence[Damage]) -> RenderableType:
    """List what is wrong with which file of which object."""
    if not damages:
        return Group()
    table = _table(None, "object", "file", "what is wrong", texts=3)
    for damage in damages[:ROWS]:
        table.add_row(_short(damage.key), Text(damage.file), Text(damage.what))
    return Group(table, *map(Text, _rest(len(damages) - ROWS, "files")))


def garbage_table(garbage: Sequence[Garbage]) -> RenderableType:
    """Sum up, by reason, what no sweep needs."""
    table = _table(None, "what no given sweep needs", "pieces", "size", texts=1)
    reasons = dict.fromkeys(piece.reason for piece in garbage)
    for reason in (*reasons, "all"):
        pieces = [piece for piece in garbage if reason in (piece.reason, "all")]
        table.add_row(reason, f"{len(pieces):,}", size(sum(piece.bytes for piece in pieces)))
    return table


def size(count: float) -> str:
    """Write a number of bytes with a decimal unit: ``3.2 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _table(title: str | None, *headings: str, texts: int) -> Table:
    """Make an empty table whose first ``texts`` columns hold text, and the others numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    names = headings if title is None else (title, *headings)
    for place, name in enumerate(names):
        number = place >= texts
        table.add_column(
            Text(name), justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    return table


def _rest(count: int, noun: str) -> Iterator[str]:
    if count > 0:
        yield f"and {count:,} more {noun}"


def _short(key: str) -> str:
    """Show the beginning of a key, as people do with commits, and whether it is an evaluation."""
    network, dash, suite = key.partition("-")
    return f"{network[:12]}{dash}{suite[:4]}"
