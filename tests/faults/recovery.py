"""What a fault may cost a sweep, and what it must not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from orchestrator.store.verify import verify, worked_on
from tests.faults.processes import wait_for
from tests.faults.sweep import FaultySweep

AT_ONCE = 2
"""Networks that are made at the same time."""


@dataclass(frozen=True)
class Fault:
    """A moment at which something died.

    Attributes:
        at: seconds since 1970.
        committed: what was committed before, with the time of each record.

    """

    at: float
    committed: dict[str, int]


def strike(sweep: FaultySweep, blow: Callable[[], object]) -> Fault:
    """Let ``blow`` kill something."""
    fault = Fault(time.time(), sweep.committed())
    blow()
    return fault


@dataclass(frozen=True)
class Recovery:
    """What a fault has cost.

    Attributes:
        executor: of the sweep.
        seconds: until what was in flight is committed, or else until the next commit.
        repeated: networks that were made once more.
        duplicates: runs in MLflow that are too many.

    """

    executor: str
    seconds: float
    repeated: int
    duplicates: int


def recovered(
    sweep: FaultySweep,
    fault: Fault,
    undisturbed: pa.Table,
    *,
    since: float | None = None,
    uri: str | None = None,
) -> Recovery:
    """Check that ``sweep``, which has ended, has all and no more than it should.

    Args:
        sweep: after ``fault``.
        fault: what happened.
        undisturbed: the results of the same sweep without a fault.
        since: when it could go on, by default at once.
        uri: of MLflow, by default the database in the store.

    """
    after, begun = sweep.committed(), sweep.begun()
    assert fault.committed.items() <= after.items(), "something committed was lost or replaced"
    late = [one for one in begun if one.at > after[one.key] / 1e9 + 1]
    assert not late, "something committed was computed again"
    repeated = sweep.repeated()
    assert repeated.total() <= AT_ONCE, "more was repeated than was in flight"
    assert sweep.table().equals(undisturbed)
    assert verify(sweep.store) == []
    wait_for(lambda: not worked_on(sweep.store), "the end of all leases", seconds=20)
    runs = sweep.runs(uri)
    assert {status for _, status in runs} == {"FINISHED"}
    names = [name for name, _ in runs]
    expected = {sweep.sweep.spec.name, *(chain.name for chain in sweep.sweep.plan.chains)}
    assert set(names) == expected
    start = since or fault.at
    again = {after[key] / 1e9 for key in repeated} or {
        min(at / 1e9 for key, at in after.items() if key not in fault.committed)
    }
    seconds = max(max(again) - start, 0.0)
    return Recovery(sweep.executor, seconds, repeated.total(), len(names) - len(expected))
