"""How a chain or a sweep stands, in the tags of its run and in MLflow's own words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestrator.tracking.committed import Committed
from orchestrator.tracking.nest import STATUS
from orchestrator.tracking.progress import Progress
from workers.contracts import Chain

if TYPE_CHECKING:
    from orchestrator.tracking.runs import Run, Runs

CAUSE = "prunesweep.cause"
MLFLOW_STATUS = {
    "complete": "FINISHED",
    "running": "RUNNING",
    "failed": "FAILED",
    "partial": "KILLED",
}


def chain_status(
    chain: Chain, committed: Committed, run: Run | None, progress: Progress
) -> tuple[str, str]:
    """Return the status of ``chain`` and, if it failed, why; an earlier failure is in ``run``."""
    if committed.complete(chain):
        return "complete", ""
    if chain.name in progress.failed:
        return "failed", progress.failed[chain.name]
    if chain.name in progress.running and not progress.ended:
        return "running", ""
    if run and run.tags.get(STATUS) == "failed":
        return "failed", run.tags.get(CAUSE, "")
    return "partial", ""


def conclude(runs: Runs, run: Run, status: str, newest: int | None) -> None:
    """Give ``run`` its status; it ended when its ``newest`` network was made.

    Times are in milliseconds since 1970.
    """
    if status == "running":
        runs.conclude(run, "RUNNING", None)
    else:
        end = newest or run.end or now()
        runs.conclude(run, MLFLOW_STATUS[status], max(end, run.start))


def now() -> int:
    """Milliseconds since 1970."""
    return round(1000 * time.time())
