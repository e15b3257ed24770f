"""What a sweep will cost, and what sharing work saves against a plain grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import mean
from typing import TYPE_CHECKING

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


def estimate(plan: Plan, state: State, store: Store, probe: Probe, workers: int) -> Estimate:
    """Estimate what is missing from what the store measured, or else from a probe of a few steps.

    The wall time is the work divided among ``workers``, and never less than the longest chain after
    its parent.
    """
    index = store.index()
    uncorrupted: dict[str, int] = {}
    costs: dict[str, Cost] = {}
    unknown: dict[str, str] = {}
    bases: set[str] = set()
    for chain in {chain.network: chain for chain in state.pending}.values():
        try:
            new = _uncorrupted(plan, store, index, chain.fingerprint)
            measured = _measured(plan, store, index, chain.network)
            if measured and new and (probed := probe(chain)):
                measured = replace(measured, input_bytes=probed.input_bytes)
            costs[chain.network] = measured or _probed(probe, chain)
            uncorrupted[chain.fingerprint] = new
            bases.add("measured" if measured else "probed")
        except Exception as error:  # whatever somebody's network runs into, the plan stands
            unknown[chain.network] = str(error).partition("\n")[0] or type(error).__name__
    work = longest = disk = 0.0
    seconds_of: dict[str, float] = {}
    for chain_state in state.chains:
        cost, tally = costs.get(chain_state.chain.network), chain_state.tally
        if cost is None:
            continue
        cells = tally.cells - tally.cells_cached
        seconds = (tally.epochs - tally.epochs_cached) * cost.epoch_seconds
        seconds += cells * cost.cell_seconds
        networks = tally.networks - tally.networks_cached + len(chain_state.lacking)
        disk += networks * cost.network_bytes
        disk += cells * cost.cell_bytes
        seconds_of[chain_state.chain.name] = seconds
        after = max(
            (seconds_of.get(name, 0.0) for name in chain_state.chain.waits_for), default=0.0
        )
        work, longest = work + seconds, max(longest, after + seconds)
    return Estimate(
        seconds=max(work / workers, longest),
        bytes=int(disk),
        cache_bytes=sum(uncorrupted[content] * size for content, size in _inputs(state, costs)),
        workers=workers,
        basis=" and ".join(sorted(bases)),
        unknown=unknown,
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


def _inputs(state: State, costs: Mapping[str, Cost]) -> set[tuple[str, int]]:
    """List the test splits of what is missing, each once: its fingerprint, and bytes of a copy."""
    return {
        (chain.fingerprint, costs[chain.network].input_bytes)
        for chain in state.pending
        if chain.network in costs
    }


def _probed(probe: Probe, chain: Chain) -> Cost:
    if cost := probe(chain):
        return cost
    raise DataError("its data are not here yet; a run downloads them")


def _measured(plan: Plan, store: Store, index: Index, network: str) -> Cost | None:
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
        cell_seconds=mean(r["seconds"] / len(r["tasks"]) for r in evaluations),
        network_bytes=round(mean(_size(r) for r in networks)),
        cell_bytes=round(mean(_size(r) / len(r["tasks"]) for r in evaluations)),
        input_bytes=0,  # not on record; what they were tested on is in the cache already
    )


def _size(record: Record) -> int:
    return sum(file["bytes"] for file in record["files"].values())
