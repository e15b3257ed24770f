"""A store in memory, plans to publish, and what a user then sees in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient

from orchestrator.plan import Plan
from orchestrator.spec import SweepSpec, TaskSpec, TrackingSpec
from orchestrator.tracking import Progress, Tracker
from workers.contracts import Chain, Component, Level, Schedule, TaskCell, Training

TASKS = tuple(
    TaskCell(key=f"{name}-key", label=name, task=Component(name.partition("-")[0]))
    for name in ("nominal", "contrast-3")
)
RATIOS = (0.5, 0.75, 0.9)


@dataclass
class MemoryStore:
    """Networks and accuracies in memory: what a tracker needs of a store, and of collect."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    accuracies: dict[str, dict[str, float]] = field(default_factory=dict)

    def has(self, key: str) -> bool:
        return key in self.records

    def record(self, key: str) -> Mapping[str, Any]:
        return self.records[key]

    def read(self, key: str, name: str) -> bytes:
        assert name == "weights.safetensors"
        return f"weights of {key}".encode()

    def cells_of(self, chain: Chain) -> pd.DataFrame:
        rows = [
            (key, task, accuracy)
            for key in chain.networks
            for task, accuracy in self.accuracies.get(key, {}).items()
        ]
        return pd.DataFrame(rows, columns=["network_key", "task", "accuracy"])

    def commit(self, key: str, ratio: float, created: float, *, evaluated: bool = True) -> None:
        self.records[key] = {
            "kind": "level" if ratio else "parent",
            "requested_ratio": ratio,
            "achieved_ratio": ratio + 0.001 * bool(ratio),
            "parameters": 1000,
            "nonzero": 1000 - round(1000 * ratio),
            "loss": [2.0, 1.5 + ratio],
            "seconds": 10.0,
            "created": created,
            "network": {"model": {"name": "resnet8", "options": {}}, "channels": 1, "classes": 10},
            "environment": {"python": "3.11.7", "device": "cpu (x86_64)", "revision": "abc123"},
        }
        if evaluated:
            self.accuracies[key] = {"nominal": 0.9 - ratio / 10, "contrast-3": 0.8 - ratio / 5}

    def commit_chain(self, chain: Chain, levels: int = len(RATIOS)) -> None:
        if chain.method is None:
            self.commit(chain.parent, 0.0, 1_700_000_000.0)
        for index, level in enumerate(chain.levels[:levels], start=1):
            self.commit(level.key, level.ratio, 1_700_000_000.0 + 100 * index)


def dense(seed: int = 0) -> Chain:
    return Chain(
        name=f"net/s{seed}/dense",
        network="net",
        model=Component("resnet8", {"width": 4}),
        data=Component("digits"),
        fingerprint="f" * 64,
        seed=seed,
        training=Training(epochs=2),
        parent=f"parent-{seed}",
    )


def pruned(parent: Chain, method: str = "wt", ratios: tuple[float, ...] = RATIOS) -> Chain:
    keys = [f"{parent.parent}-{method}-{ratio}" for ratio in ratios]
    bases = [parent.parent, *keys]
    return replace(
        parent,
        name=f"net/s{parent.seed}/{method}/cascade",
        waits_for=(parent.name,),
        method=Component(method),
        retraining=Training(epochs=1),
        schedule=Schedule(),
        levels=tuple(
            Level(key=key, base=base, ratio=ratio)
            for key, base, ratio in zip(keys, bases, ratios, strict=False)
        ),
    )


def plan_of(folder: Path, *chains: Chain, name: str = "tiny", **tracking: Any) -> Plan:
    spec = SweepSpec.model_construct(
        name=name,
        store=folder / "store",
        source=folder / "sweep.yaml",
        text=f"name: {name}\n",
        tasks=tuple(
            TaskSpec(label=task.label, task=task.task, distribution="test") for task in TASKS
        ),
        tracking=TrackingSpec(**tracking),
    )
    return Plan(spec, chains or (dense(), pruned(dense())), TASKS)


@dataclass
class View:
    """What a user sees in MLflow."""

    uri: str
    experiment: str = "tiny"

    def __post_init__(self) -> None:
        self.client = MlflowClient(self.uri)

    def runs(self) -> dict[str, Any]:
        found = self.client.get_experiment_by_name(self.experiment)
        runs = self.client.search_runs([found.experiment_id])
        assert len({run.info.run_name for run in runs}) == len(runs)
        return {run.info.run_name: run for run in runs}

    def count(self) -> int:
        found = self.client.get_experiment_by_name(self.experiment)
        return len(self.client.search_runs([found.experiment_id]))

    def statuses(self) -> dict[str, str]:
        return {name: run.info.status for name, run in self.runs().items()}

    def curve(self, name: str, metric: str) -> list[tuple[int, float, int]]:
        history = self.client.get_metric_history(self.runs()[name].info.run_id, metric)
        return sorted((point.step, point.value, point.timestamp) for point in history)

    def everything(self) -> dict[str, Any]:
        return {
            name: (
                run.info.run_id,
                run.info.status,
                run.info.start_time,
                run.info.end_time,
                run.data.params,
                run.data.tags,
                {metric: self.curve(name, metric) for metric in run.data.metrics},
            )
            for name, run in self.runs().items()
        }

    def artifact(self, name: str, path: str) -> bytes:
        run = self.runs()[name].info.run_id
        return Path(self.client.download_artifacts(run, path)).read_bytes()


def tracker_of(plan: Plan, store: MemoryStore, uri: str) -> Tracker:
    return Tracker(plan, store, uri, store.cells_of)  # type: ignore[arg-type]


def publish(plan: Plan, store: MemoryStore, uri: str, progress: Progress | None = None) -> None:
    tracker_of(plan, store, uri).publish(progress=progress)


def commit_all(plan: Plan, store: MemoryStore) -> None:
    for chain in plan.chains:
        store.commit_chain(chain)
