"""What a sweep will cost, and what sharing work saves against a plain grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import mean
from typing import TYPE_CHECKING

from orchestrator.plan.overheads import NONE, Overheads
from orchestrator.plan.prices import (
    Prices,
    measure_seconds,
    measures_took,
    missing_cells,
    missing_measures,
)
from orchestrator.plan.work import epochs_each
from workers.contracts import Chain, Cost, DataError, Record
from workers.registry import TASKS

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan
    from orchestrator.plan.state import State
    from orchestrator.store import Index, Store

Probe = Callable[[Chain], Cost | None]
SAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Wall seconds and bytes of what is missing, but for the ``unknown`` networks and why.

    ``bytes`` go to the store, ``cache_bytes`` to the cache of corrupted test images: as many again
    on every machine that tests, and none where the images are there from another sweep.
    """

    seconds: float
    bytes: int
    cache_bytes: int
    workers: int
    basis: str
    unknown: Mapping[str, str]


def naive_epochs(plan: Plan) -> int:
    """Count the epochs of a grid in which every pruned network is a trial of its own.

    Such a trial trains its parent, then in a cascade replays every level before its own: with E
    epochs of training, e of retraining and R levels, a cascade costs R·E + e·R(R+1)/2 and one-shot
    R·(E + e).
    """
    return sum(_naive(chain) for chain in plan.chains)


def _naive(chain: Chain) -> int:
    if chain.retraining is None:
        return chain.training.epochs
    depth = dict.fromkeys((chain.parent,), 0)
    for level in chain.levels:
        depth[level.key] = depth[level.base] + 1
    replayed = sum(depth.values())
    return len(chain.levels) * chain.training.epochs + replayed * epochs_each(chain)


def estimate(
    plan: Plan,
    state: State,
    store: Store,
    probe: Probe,
    workers: int,
    overheads: Overheads = NONE,
) -> Estimate:
    """Estimate what is missing from what the store measured, or else from a probe of a few steps.

    A task counts by its passes and its images, a measure by its passes, or by what it took on other
    chains; what several chains share counts once. The wall time is the work divided among
    ``workers``, and never less than the longest chain after its parent; before it, every worker
    loads its data.
    """
    index = store.index()
    pending = {chain.network: chain for chain in state.pending}
    bills: list[_Bill] = []
    unknown: dict[str, str] = {}
    seen: set[str] = set()
    for chain in pending.values():
        try:
            bills.append(_bill(plan, state, store, index, probe, chain, seen, overheads))
        except Exception as error:  # whatever somebody's network runs into, the plan stands
            unknown[chain.network] = str(error).partition("\n")[0] or type(error).__name__
    work = sum(bill.seconds for bill in bills)
    start = overheads.run + max(bill.start for bill in bills) if bills else 0.0
    return Estimate(
        seconds=start + max(work / workers, *(bill.longest for bill in bills), 0.0),
        bytes=int(sum(bill.bytes for bill in bills)),
        cache_bytes=sum(size for _, size in {(bill.content, bill.cache_bytes) for bill in bills}),
        workers=workers,
        basis=" and ".join(sorted({bill.basis for bill in bills})),
        unknown=unknown,
    )


@dataclass(frozen=True, kw_only=True)
class _Bill:
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


def _bill(
    plan: Plan,
    state: State,
    store: Store,
    index: Index,
    probe: Probe,
    last: Chain,
    seen: set[str],
    overheads: Overheads,
) -> _Bill:
    """Add up the network of the chain ``last``, but for what is ``seen`` already."""
    prices, took = Prices(plan, last.data), measures_took(plan, last.network, store, index)
    new = _uncorrupted(plan, store, index, last.fingerprint)
    measured = _measured(plan, store, index, last.network, prices)
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
    return _Bill(
        start=cost.start_seconds,
        seconds=sum(taken.values()),
        longest=max(after.values()),
        bytes=disk,
        content=last.fingerprint,
        cache_bytes=new * cost.input_bytes,
        basis="measured" if measured else "probed",
    )


def _uncorrupted(plan: Plan, store: Store, index: Index, fingerprint: str) -> int:
    """Count the corruptions that no network on those data was tested on; a few stand for all."""
    corrupting = {cell.key for cell in plan.tasks if TASKS.get(cell.task.name).corrupts}
    keys = {
        key: None
        for chain in plan.chains
        if chain.fingerprint == fingerprint
        for key in chain.networks
        if index.evaluations.get(key)
    }
    return len(corrupting.difference(*map(store.evaluated, list(keys)[:SAMPLES])))


def _probed(probe: Probe, chain: Chain) -> Cost:
    if cost := probe(chain):
        return cost
    raise DataError("its data are not here yet; a run downloads them")


def _measured(plan: Plan, store: Store, index: Index, network: str, prices: Prices) -> Cost | None:
    """Average over a few committed networks of the same model, data and recipe."""
    keys = [
        key
        for chain in plan.chains
        if chain.network == network
        for key in chain.networks
        if key in index.networks and index.evaluations.get(key)
    ][:SAMPLES]
    if not keys:
        return None
    networks = [store.record(key) for key in keys]
    evaluations = [store.record(index.evaluations[key][0]) for key in keys]
    return Cost(
        epoch_seconds=mean(r["seconds"] / max(r["epochs"], 1) for r in networks),
        cell_seconds=mean(prices.seconds_each(r["tasks"], r["seconds"]) for r in evaluations),
        network_bytes=round(mean(_size(r) for r in networks)),
        cell_bytes=round(mean(prices.bytes_each(r["tasks"], _size(r)) for r in evaluations)),
        input_bytes=0,  # not on record; what they were tested on is in the cache already
    )


def _size(record: Record) -> int:
    return sum(file["bytes"] for file in record["files"].values())
