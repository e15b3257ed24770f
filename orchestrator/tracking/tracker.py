"""Writes what is committed of a sweep to MLflow; writing it again changes nothing.

The sweep is a run, each chain a run nested in it, each pruned network a step of its metrics. What a
run was given is in the tag ``POINTS``, a digest of each section of its metrics. Whatever
comes later (tasks, measures, attacks that wait for another seed) is added to runs that have ended,
one section at a time, and a run that has everything costs no request at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.tracking.chain_run import publish_chain
from orchestrator.tracking.committed import Committed
from orchestrator.tracking.describe import sweep_note
from orchestrator.tracking.points import answer_points
from orchestrator.tracking.progress import Progress
from orchestrator.tracking.seldom import Seldom
from orchestrator.tracking.status import now
from orchestrator.tracking.sweep_run import publish_sweep
from orchestrator.tracking.view import View, open_view, prepare
from orchestrator.tracking.worst import worst_note
from workers.contracts import Chain

if TYPE_CHECKING:
    import pandas as pd

    from orchestrator.plan import Plan
    from orchestrator.store import Store


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
        self._note = sweep_note(plan.spec.name, plan.chains, plan.tasks)
        self._committed = Committed(plan, store, cells_of)
        self._worst = Seldom(
            lambda: worst_note(self._committed.pruned(), plan.spec.analysis.deltas[0])
        )
        self._chains = {chain.name: chain for chain in plan.chains}
        self._statuses = dict.fromkeys(self._chains, "partial")
        self._view: View | None = None

    def publish(
        self, chains: Iterable[Chain] | None = None, progress: Progress | None = None
    ) -> None:
        """Write everything that is committed of ``chains``, or of all chains.

        Without ``progress`` nobody is at work: what a killed driver left RUNNING becomes KILLED.

        Raises:
            TrackingError: MLflow refused, or did not answer; publishing again catches up.

        """
        progress = progress or Progress(ended=True)
        name, committed = self.plan.spec.name, self._committed
        with self._connected() as view:
            for chain in self.plan.chains if chains is None else chains:
                parent = self._chains.get(next(iter(chain.waits_for), ""))
                status = publish_chain(view, committed, name, chain, parent, progress)
                self._statuses[chain.name] = status
            statuses = [self._statuses[chain.name] for chain in self.plan.chains]
            publish_sweep(
                view.runs,
                view.nest.sweep,
                self.plan,
                committed,
                statuses,
                # The UI folds what is not in the first lines.
                note=f"{self._worst(at_once=progress.ended)}\n{self._note}".lstrip(),
                ended=progress.ended,
            )

    def log_report(self, folder: Path, answers: Mapping[str, float] | None = None) -> None:
        """Attach the files of ``folder`` to the sweep's run under ``report``, over older ones.

        Args:
            folder: the report.
            answers: numbers to show as metrics of the sweep's run, by name.

        Raises:
            TrackingError: MLflow refused, or did not answer.

        """
        with self._connected() as view:
            run = view.nest.sweep
            view.runs.attach_folder(run, folder, "report")
            view.runs.write(run, {}, {}, answer_points(answers or {}, run.metrics, now()))

    @contextmanager
    def _connected(self) -> Iterator[View]:
        prepare()
        from orchestrator.tracking.reaching import reaching

        try:
            with reaching(self.uri):
                if self._view is None:
                    self._view = open_view(self.plan, self.uri, self._committed)
                yield self._view
        except BaseException:
            self._view = None  # what is known of the runs may be wrong now
            raise
