"""Runs the pending chains of a sweep on Ray Tune: one chain is one trial."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray import tune

from orchestrator.cluster.lifelines import Abandon, end_process, lifelines
from orchestrator.cluster.packed import PackedChains
from orchestrator.cluster.scheduler import Forgetful
from orchestrator.cluster.searcher import PlanSearcher
from orchestrator.cluster.session import on_cluster, session
from orchestrator.cluster.shares import OUT_OF_MEMORY, Shares
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
        abandon: ends the process when the cluster is lost; called from another thread.
        metrics: what tells Prometheus how the run goes, while it does.
        need: runs on a GPU, and says what fraction of its memory a chain needs.

    """

    trial: Trial
    cpus: float = 1
    gpus: float = 0.0
    workers: int | None = None
    retries: int = 2
    threads: int = 1
    silence: float = 0.0
    metrics: Callable[[], AbstractContextManager[object]] = nullcontext
    abandon: Abandon = end_process
    need: Callable[[Chain], float] | None = None

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
        with scratch as folder, session(self), lifelines(self.abandon), self.metrics():
            shares = Shares(self.gpus)
            tuner = self._tuner(frontier, chains, tasks, report, shares, folder)
            if self.need is not None:
                shares.measure(chains, self.need)
            tuner.fit()
        return frontier.outcome

    def _tuner(
        self,
        frontier: Frontier,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        report: Report,
        shares: Shares,
        scratch: str,
    ) -> tune.Tuner:
        packed = PackedChains.of(chains)
        function = tune.with_parameters(walk, trial=self.trial, chains=packed, tasks=tuple(tasks))
        network_of = {chain.name: chain.network for chain in chains}
        cpus = self.cpus  # pickled with what sizes a trial, as this executor cannot be

        def enlarge(trial: Any) -> None:
            cause = trial.last_result.get("cause", "")
            if not cause.startswith(OUT_OF_MEMORY):
                return
            had = trial.placement_group_factory.required_resources.get("GPU", 0.0)
            share = shares.enlarge(network_of[trial.config["chain"]], had)
            if share is None:
                return
            trial.update_resources(_bundle(cpus, share))
            trial.last_result["cause"] = f"{cause}; given {share:g} of a GPU now"

        return tune.Tuner(
            tune.with_resources(function, lambda config: _bundle(cpus, config["gpus"])),
            tune_config=tune.TuneConfig(
                search_alg=PlanSearcher(frontier, shares),
                scheduler=Forgetful(before_retry=enlarge),
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


def _bundle(cpus: float, gpus: float) -> tune.PlacementGroupFactory:
    """Return what a trial reserves."""
    reserved = {"CPU": cpus, "GPU": gpus}
    return tune.PlacementGroupFactory([{name: share for name, share in reserved.items() if share}])


def _slots(executor: RayExecutor, chains: int) -> int:
    """How many trials run at once; a cluster may still grow, so there Ray decides what fits."""
    slots = min(chains, executor.workers or chains)
    if on_cluster():
        return slots
    have = ray.cluster_resources()
    for resource, share in _bundle(executor.cpus, executor.gpus).required_resources.items():
        fit = int(have.get(resource, 0) / share + 1e-9)
        if not fit:
            raise ResourcesError(
                f"resources.{resource.lower()}s: a trial asks for {share:g} {resource}, "
                f"this machine has {have.get(resource, 0):g}"
            )
        slots = min(slots, fit)
    return slots
