"""What MLflow shows of a sweep: the connection, the runs, the table of tasks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.tracking.committed import Committed
from orchestrator.tracking.location import artifact_root
from orchestrator.tracking.nest import Nest
from orchestrator.tracking.status import now
from orchestrator.tracking.tasks import Tasks, enter

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.tracking.runs import Runs

# Read by MLflow when it is imported: no telemetry, no chatter for every run that ends, and no
# minutes of retries against a server that is down (its defaults: 7 retries, 120 s each).
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}


@dataclass(frozen=True)
class View:
    """The open connection, the sweep's run with those of its chains, and the tasks shown."""

    runs: Runs
    nest: Nest
    tasks: Tasks


def prepare() -> None:
    """Set what MLflow reads when it is imported, but for what the user has set."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def open_view(plan: Plan, uri: str, committed: Committed) -> View:
    """Connect to ``uri``, find the run of the sweep or make it, and enter its tasks."""
    from orchestrator.tracking.runs import Runs

    spec = plan.spec
    runs = Runs(uri, spec.tracking.experiment or spec.name, artifact_root(uri, spec))
    nest = Nest(runs, spec.name, committed.begun() or now())
    return View(runs, nest, enter(runs, nest.sweep, plan.tasks))
