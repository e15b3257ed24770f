"""A store whose networks are formulas: ten examples of ten classes, some of them told wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.plan import Plan, make_plan
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from workers.contracts import Chain, Reading, evaluation_key
from workers.evaluation.predictions import Predictions
from workers.evaluation.predictions import to_parquet as predictions_to_parquet
from workers.evaluation.readings import to_parquet as readings_to_parquet

LABELS = np.arange(20) % 5
TASKS = {
    "train": ["nominal"],
    "test": [{"fog": {"severity": [1, 3]}}, {"contrast": {"severity": 3}}],
    "other": [{"outliers": {"data": "digits"}}, {"training_images": {"count": 20}}],
}
Wrong = Callable[[Chain, int, str], Iterable[int]]


def said(task: str, label: np.ndarray, wrong: Iterable[int], confidence: float) -> Predictions:
    """Predictions that are right but for the examples ``wrong``, which get the next class."""
    predicted = label.copy()
    at = list(wrong)
    predicted[at] = (label[at] + 1) % 5
    right = predicted == label
    known = label >= 0
    return Predictions(
        task=task,
        label=label.astype(np.int16),
        predicted=predicted.astype(np.int16),
        p_true=np.where(known, np.where(right, confidence, 1 - confidence), np.nan).astype("f4"),
        confidence=np.full(len(label), confidence, np.float32),
        energy=np.full(len(label), 8 * confidence, np.float16),
        brier=np.where(known, 0.5, np.nan).astype(np.float16),
        entropy=np.full(len(label), 1 - confidence, np.float16),
        modified_entropy=np.where(right, 0.25, 2.0).astype(np.float16),
    )


def nothing_wrong(chain: Chain, level: int, task: str) -> Iterable[int]:
    return ()


class Formula:
    """A plan with its store, and what its networks say."""

    def __init__(self, file: Path) -> None:
        self.spec = load_sweep(file)
        self.plan: Plan = make_plan(self.spec)
        self.store = Store(self.spec.store)
        self.unknown: set[tuple[str, str]] = set()
        self.parameters: dict[str, int] = defaultdict(int)
        self.shown: dict[str, int] = {}
        """Images of a task, by its label, where they are not all."""

    def commit(self, wrong: Wrong = nothing_wrong, chains: Iterable[Chain] | None = None) -> None:
        for chain in self.plan.chains if chains is None else chains:
            for level, key in enumerate(chain.networks, start=1 if chain.method else 0):
                ratio = chain.levels[level - 1].ratio if level else 0.0
                record = {
                    "requested_ratio": ratio,
                    "achieved_ratio": ratio,
                    "within_tolerance": True,
                    "parameters": self.parameters[chain.network],
                    "created": 1.7e9,
                    "seconds": 1.0,
                    "environment": {},
                }
                self.store.put(key, record, {"weights.safetensors": b"1"})
                keys = [task.key for task in self.plan.tasks]
                blob = predictions_to_parquet(self._said(chain, level, wrong))
                evaluation = {"network": key, "tasks": keys}
                files = {"predictions.parquet": blob}
                self.store.put(evaluation_key(key, keys), evaluation, files)

    def _said(self, chain: Chain, level: int, wrong: Wrong) -> Iterable[Predictions]:
        for task in self.plan.tasks:
            foreign = task.label.startswith("outliers")
            label = np.full(20, -1) if foreign else LABELS[: self.shown.get(task.label)]
            confidence = 0.5 if foreign else 0.75
            made = said(task.key, label, wrong(chain, level, task.label), confidence)
            for task_label, column in self.unknown:
                if task_label == task.label:
                    getattr(made, column)[0] = np.nan
            yield made

    def read(self, found: Callable[[Chain], Iterable[Reading]]) -> None:
        for chain in self.plan.chains:
            for cell in chain.measures:
                record = {"kind": "measure", "chain": chain.name, "measure": cell.label}
                files = {"readings.parquet": readings_to_parquet(found(chain))}
                self.store.put(cell.key, record, files)


@pytest.fixture
def formula(tiny: Callable[..., Path]) -> Callable[..., Formula]:
    def make(**changes: Any) -> Formula:
        return Formula(tiny(**{"tasks": TASKS, "methods": ["wt"], **changes}))

    return make
