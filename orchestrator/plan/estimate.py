"""What a sweep will cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.plan.bill import Bill, Probe, bill_of
from orchestrator.plan.overheads import NONE, Overheads

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan
    from orchestrator.plan.state import State
    from orchestrator.store import Store


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
    bills: list[Bill] = []
    unknown: dict[str, str] = {}
    seen: set[str] = set()
    for chain in pending.values():
        try:
            bills.append(bill_of(plan, state, store, index, probe, chain, seen, overheads))
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
