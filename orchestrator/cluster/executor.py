"""Runs the pending chains of a sweep on Ray Tune: one chain is one trial."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import ray
from ray import cloudpickle, tune

from orchestrator.cluster.searcher import PlanSearcher
from orchestrator.cluster.session import on_cluster, session
from orchestrator.cluster.silence import Silence
from orchestrator.cluster.trials import Ear, walk
from orchestrator.execution.executor import Trial
from orchestrator.execution.frontier import Frontier, Outcome
from orchestrator.execution.resources import ResourcesError
from workers.contracts import Chain, Report, TaskCell


@dataclass(frozen=True, kw_only=True)
class RayExecutor:
    """Runs chains side by side, on the cluster at ``RAY_ADDRESS`` or on this machine's processes.

    Attributes:
        trial: what a trial does; it is sent to other processes.
        cpus: CPUs that each trial reserves.
        gpus: GPUs that each trial reserves; trials share one if this is a fraction.
        workers: how many trials run at once, as many as fit by default.
        retries: how often a chain is tried again after a failure that may be passing.
        threads: threads of the numerical libraries in each trial.
        silence: seconds without news after which a trial counts as hung; 0: never.
        metrics: what tells Prometheus how the run goes, while it does.

    """

    trial: Trial
    cpus: float = 1
    gpus: float = 0.0
    workers: int | None = None
    retries: int = 2
    threads: int = 1
    silence: float = 0.0
    metrics: Callable[[], AbstractContextManager[object]] = nullcontext

    def run(
        self,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        done: Collection[str],
        report: Report,
    ) -> Outcome:
        """Run every chain; see ``Executor.run``.

        Raises:
            ResourcesError: this machine can never fit a trial.

        """
        frontier = Frontier(chains, done, report)
        if frontier.exhausted:
            return frontier.outcome
        scratch = TemporaryDirectory(ignore_cleanup_errors=True)
        with scratch as folder, session(self), self.metrics():
            self._tuner(frontier, chains, tasks, report, folder).fit()
        return frontier.outcome

    @property
    def bundle(self) -> dict[str, float]:
        """What one trial reserves, in Ray's words."""
        return {name: share for name, share in (("CPU", self.cpus), ("GPU", self.gpus)) if share}

    def _tuner(
        self,
        frontier: Frontier,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        report: Report,
        scratch: str,
    ) -> tune.Tuner:
        # Serialised one by one: each trial is given them all, and loads no more than its own.
        packed = {chain.name: cloudpickle.dumps(chain) for chain in chains}
        function = tune.with_parameters(walk, trial=self.trial, chains=packed, tasks=tuple(tasks))
        return tune.Tuner(
            tune.with_resources(function, tune.PlacementGroupFactory([self.bundle])),
            tune_config=tune.TuneConfig(
                search_alg=PlanSearcher(frontier),
                num_samples=-1,
                max_concurrent_trials=_slots(self, len(chains)),
                reuse_actors=True,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                storage_path=scratch,
                callbacks=[Ear(frontier, report, Silence(self.silence))],
                failure_config=tune.FailureConfig(max_failures=self.retries),
                verbose=0,
            ),
        )


def _slots(executor: RayExecutor, chains: int) -> int:
    """How many trials run at once; a cluster may still grow, so there Ray decides what fits."""
    slots = min(chains, executor.workers or chains)
    if on_cluster():
        return slots
    have = ray.cluster_resources()
    for resource, share in executor.bundle.items():
        fit = int(have.get(resource, 0) / share + 1e-9)
        if not fit:
            raise ResourcesError(
                f"resources.{resource.lower()}s: a trial asks for {share:g} {resource}, "
                f"this machine has {have.get(resource, 0):g}"
            )
        slots = min(slots, fit)
    return slots
