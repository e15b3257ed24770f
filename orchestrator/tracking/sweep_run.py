"""The run of the sweep itself: how far it is, its file, and what is to be seen at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from orchestrator.tracking.committed import Committed
from orchestrator.tracking.nest import STATUS
from orchestrator.tracking.status import CAUSE, conclude

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.tracking.runs import Run, Runs


def publish_sweep(
    runs: Runs,
    run: Run,
    plan: Plan,
    committed: Committed,
    statuses: Sequence[str],
    *,
    note: str,
    ended: bool,
) -> None:
    """Bring the run of the sweep up to date.

    Args:
        runs: where to.
        run: that of the sweep.
        plan: the sweep.
        committed: what there is.
        statuses: one for each of its chains.
        note: its description.
        ended: whether nobody is at work.

    """
    spec, count = plan.spec, len(statuses)
    complete, failed = statuses.count("complete"), statuses.count("failed")
    status = "complete" if complete == count else "failed" if failed else "partial"
    status = status if ended else "running"
    digest = sha256(spec.text.encode()).hexdigest()
    if run.tags.get("prunesweep.file") != digest:
        runs.attach(run, "sweep.yaml", spec.text.encode())
    tags = {
        STATUS: status,
        CAUSE: f"{failed} of {count} chains failed" if failed else "",
        "prunesweep.progress": f"{complete} of {count} chains complete",
        "prunesweep.file": digest,
        "mlflow.note.content": note,
    }
    runs.write(run, {"sweep": spec.name}, tags)
    conclude(runs, run, status, committed.ended())
