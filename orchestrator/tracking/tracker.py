"""Writes what is committed of a sweep to MLflow; writing it again changes nothing.

The sweep is a run, each chain a run nested in it, each pruned network a step of its metrics. What a
run was given is in its tag ``POINTS``, a digest of each section of its metrics. Whatever
comes later (tasks, measures, attacks that wait for another seed) is added to runs that have ended,
one section at a time, and a run that has everything costs no request at all.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.tracking import describe
from orchestrator.tracking.committed import WEIGHTS, Committed
from orchestrator.tracking.location import artifact_root
from orchestrator.tracking.nest import PARENT, STATUS, Nest
from orchestrator.tracking.points import answer_points, points, unpublished
from orchestrator.tracking.tasks import Tasks, enter
from orchestrator.tracking.worst import worst_note
from workers.contracts import Chain

if TYPE_CHECKING:
    import pandas as pd

    from orchestrator.plan import Plan
    from orchestrator.store import Store
    from orchestrator.tracking.network import Network
    from orchestrator.tracking.runs import Run, Runs

CAUSE = "prunesweep.cause"
POINTS = "mlflow.prunesweep.points"  # MLflow's UI hides what begins so
CARD = "network.json"
MLFLOW_STATUS = {
    "complete": "FINISHED",
    "running": "RUNNING",
    "failed": "FAILED",
    "partial": "KILLED",
}

# Read by MLflow when it is imported: no telemetry, no chatter for every run that ends, and no
# minutes of retries against a server that is down (its defaults: 7 retries, 120 s each).
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What only the driver of a live sweep knows: chains at work, and why others failed."""

    running: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False


class Tracker:
    """The only writer of one sweep's runs; it connects at the first write, not before."""

    def __init__(
        self, plan: Plan, store: Store, uri: str, cells_of: Callable[[Chain], pd.DataFrame]
    ) -> None:
        """Track ``plan`` at ``uri``.

        Args:
            plan: the sweep; the experiment is its ``tracking.experiment``, or else its name.
            store: where the committed records and weights are.
            uri: what ``resolve_uri`` chose.
            cells_of: the committed cells of a chain, with columns ``network_key``, ``task`` (its
                label) and ``accuracy``.

        """
        self.plan, self.uri = plan, uri
        self._note = describe.sweep_note(plan.spec.name, plan.chains, plan.tasks)
        self._committed = Committed(plan, store, cells_of)
        self._chains = {chain.name: chain for chain in plan.chains}
        self._statuses: dict[str, str] = {}
        self._open: tuple[Runs, Nest, Tasks] | None = None

    def publish(
        self, chains: Iterable[Chain] | None = None, progress: Progress | None = None
    ) -> None:
        """Write everything that is committed of ``chains``, or of all chains.

        Without ``progress`` nobody is at work: what a killed driver left RUNNING becomes KILLED.

        Raises:
            TrackingError: MLflow refused, or did not answer; publishing again catches up.

        """
        progress = progress or Progress(ended=True)
        with self._connected() as (runs, nest, tasks):
            for chain in self.plan.chains if chains is None else chains:
                self._publish_chain(runs, nest, tasks, chain, progress)
            self._publish_sweep(runs, nest.sweep, progress)

    def log_report(self, folder: Path, answers: Mapping[str, float] | None = None) -> None:
        """Attach the files of ``folder`` to the sweep's run under ``report``, over older ones.

        Args:
            folder: the report.
            answers: numbers to show as metrics of the sweep's run, by name.

        Raises:
            TrackingError: MLflow refused, or did not answer.

        """
        with self._connected() as (runs, nest, _):
            runs.attach_folder(nest.sweep, folder, "report")
            new = answer_points(answers or {}, nest.sweep.metrics, _now())
            runs.write(nest.sweep, {}, {}, new)

    @contextmanager
    def _connected(self) -> Iterator[tuple[Runs, Nest, Tasks]]:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from orchestrator.tracking.runs import Runs, reaching

        spec = self.plan.spec
        try:
            with reaching(self.uri):
                if self._open is None:
                    experiment = spec.tracking.experiment or spec.name
                    runs = Runs(self.uri, experiment, artifact_root(self.uri, spec))
                    begun = self._committed.begun() or _now()
                    nest = Nest(runs, spec.name, begun)
                    self._open = runs, nest, enter(runs, nest.sweep, self.plan.tasks)
                yield self._open
        except BaseException:
            self._open = None  # what is known of the runs may be wrong now
            raise

    def _publish_chain(
        self, runs: Runs, nest: Nest, tasks: Tasks, chain: Chain, progress: Progress
    ) -> None:
        made = self._committed.networks(chain)
        parent = self._chains.get(next(iter(chain.waits_for), ""))
        shown = [*(self._committed.networks(parent) if parent else ()), *made]
        parameters = describe.chain_parameters(self.plan.spec.name, chain, tasks.table)
        parameters |= self._committed.measured(chain)
        for network in shown:
            parameters |= describe.network_parameters(network)
        run = nest.find(chain.name, parameters)
        status, cause = self._status(chain, run, progress)
        self._statuses[chain.name] = status
        if run is None:
            if status == "partial" and not made:
                return
            run = nest.create(chain.name, min((n.started for n in made), default=_now()))
        readings = self._committed.readings(chain)
        wanted = [p for n in shown for p in points(n, tasks.families, readings.get(n.key))]
        new, digest = unpublished(wanted, run.tags.get(POINTS, ""))
        settled = run.status == "FINISHED" and parameters.keys() <= run.parameters.keys()
        runs.write(run, parameters, {}, new)
        if not settled:
            self._attach(runs, run, chain, made)
        tags = {
            PARENT: nest.sweep.id,
            STATUS: status,
            CAUSE: cause,
            POINTS: digest,
            "prunesweep.key": chain.networks[-1],
            **(describe.environment_tags(made[-1].record) if made else {}),
        }
        runs.write(run, {}, tags)
        _conclude(runs, run, status, max((n.created for n in made), default=None))

    def _publish_sweep(self, runs: Runs, run: Run, progress: Progress) -> None:
        spec, chains = self.plan.spec, self.plan.chains
        statuses = [self._statuses.get(chain.name, "partial") for chain in chains]
        complete, failed = statuses.count("complete"), statuses.count("failed")
        status = "complete" if complete == len(chains) else "failed" if failed else "partial"
        status = status if progress.ended else "running"
        worst = worst_note(self._committed.pruned(), spec.analysis.deltas[0])
        digest = sha256(spec.text.encode()).hexdigest()
        if run.tags.get("prunesweep.file") != digest:
            runs.attach(run, "sweep.yaml", spec.text.encode())
        tags = {
            STATUS: status,
            CAUSE: f"{failed} of {len(chains)} chains failed" if failed else "",
            "prunesweep.progress": f"{complete} of {len(chains)} chains complete",
            "prunesweep.file": digest,
            # The UI folds what is not in the first lines.
            "mlflow.note.content": f"{worst}\n{self._note}".lstrip(),
        }
        runs.write(run, {"sweep": spec.name}, tags)
        _conclude(runs, run, status, self._committed.ended())

    def _status(self, chain: Chain, run: Run | None, progress: Progress) -> tuple[str, str]:
        if self._committed.complete(chain):
            return "complete", ""
        if chain.name in progress.failed:
            return "failed", progress.failed[chain.name]
        if chain.name in progress.running and not progress.ended:
            return "running", ""
        if run and run.tags.get(STATUS) == "failed":
            return "failed", run.tags.get(CAUSE, "")
        return "partial", ""

    def _attach(self, runs: Runs, run: Run, chain: Chain, made: Iterable[Network]) -> None:
        for network in made:
            folder = f"networks/{network.name}"
            if not runs.has(run, f"{folder}/{CARD}"):
                card = json.dumps(describe.network_card(chain, network), indent=2)
                runs.attach(run, f"{folder}/{WEIGHTS}", self._committed.weights(network))
                runs.attach(run, f"{folder}/{CARD}", card.encode())  # last: it says all is there


def _conclude(runs: Runs, run: Run, status: str, newest: int | None) -> None:
    if status == "running":
        runs.conclude(run, "RUNNING", None)
    else:
        end = newest or run.end or _now()
        runs.conclude(run, MLFLOW_STATUS[status], max(end, run.start))


def _now() -> int:
    return round(1000 * time.time())
