"""What is missing of one network, priced: by what the store measured, or else by a probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.plan.measured import measured_cost, uncorrupted
from orchestrator.plan.overheads import Overheads
from orchestrator.plan.prices import (
    Prices,
    measure_seconds,
    measures_took,
    missing_cells,
    missing_measures,
)
from workers.contracts import Chain, Cost, DataError

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan
    from orchestrator.plan.state import State
    from orchestrator.store import Index, Store

Probe = Callable[[Chain], Cost | None]


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What is missing of all chains of one network.

    ``start`` is the time until a worker has loaded the data, ``longest`` that of the longest chain
    after its parent; ``content`` the fingerprint of the data, whose corrupted images several
    networks share.
    """

    start: float
    seconds: float
    longest: float
    bytes: float
    content: str
    cache_bytes: int
    basis: str


def bill_of(
    plan: Plan,
    state: State,
    store: Store,
    index: Index,
    probe: Probe,
    last: Chain,
    seen: set[str],
    overheads: Overheads,
) -> Bill:
    """Add up the network of the chain ``last``, but for what is ``seen`` already."""
    prices, took = Prices(plan, last.data), measures_took(plan, last.network, store, index)
    new = uncorrupted(plan, store, index, last.fingerprint)
    measured = measured_cost(plan, store, index, last.network, prices)
    if measured and new and (probed := probe(last)):
        measured = replace(measured, input_bytes=probed.input_bytes)
    cost = measured or _probed(probe, last)
    disk = 0.0
    taken: dict[str, float] = {}
    after: dict[str, float] = {}
    for one in state.chains:
        chain, tally, each = one.chain, one.tally, cost.cell_seconds
        if chain.network != last.network:
            continue
        cells = missing_cells(plan, one, store, index, seen)
        measures = missing_measures(chain, index, seen)
        networks = tally.missing("networks") + len(one.lacking)
        seconds = tally.missing("epochs") * cost.epoch_seconds
        seconds += sum(prices.passes[cell] for cell in cells) * each
        seconds += measure_seconds(
            measures, len(chain.subjects), took=took, cell_seconds=each, prices=prices
        )
        seconds += networks * overheads.network + len(cells) * overheads.cell
        seconds += 0.0 if one.complete else overheads.chain
        disk += networks * cost.network_bytes
        disk += sum(prices.shares[cell] for cell in cells) * cost.cell_bytes
        taken[chain.name] = seconds
        waited = max((taken.get(name, 0.0) for name in chain.waits_for), default=0.0)
        after[chain.name] = waited + seconds
    return Bill(
        start=cost.start_seconds,
        seconds=sum(taken.values()),
        longest=max(after.values()),
        bytes=disk,
        content=last.fingerprint,
        cache_bytes=new * cost.input_bytes,
        basis="measured" if measured else "probed",
    )


def _probed(probe: Probe, chain: Chain) -> Cost:
    if cost := probe(chain):
        return cost
    raise DataError("its data are not here yet; a run downloads them")
