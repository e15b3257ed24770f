"""What the store tells of costs: how long networks took, and what is in the cache already."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

from orchestrator.plan.prices import Prices
from workers.contracts import Cost, Record
from workers.registry import TASKS

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan
    from orchestrator.store import Index, Store

SAMPLES = 5
"""Networks that are looked at; they stand for all."""


def measured_cost(
    plan: Plan, store: Store, index: Index, network: str, prices: Prices
) -> Cost | None:
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


def uncorrupted(plan: Plan, store: Store, index: Index, fingerprint: str) -> int:
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


def _size(record: Record) -> int:
    return sum(file["bytes"] for file in record["files"].values())
