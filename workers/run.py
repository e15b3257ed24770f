"""Walks a chain: skips what is committed, does the rest.

Every network is committed before it is evaluated, and every evaluation before the next level
starts, so that a crash loses the epoch in flight and nothing else. All randomness of a stage comes
from its key.
"""

from __future__ import annotations

import gc
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any

import torch

from workers.checkpoint import WEIGHTS, architecture, build, dump, restore
from workers.contracts import (
    Chain,
    Component,
    Event,
    Images,
    Level,
    Report,
    Runtime,
    Store,
    TaskCell,
    Training,
    evaluation_key,
)
from workers.evaluation.evaluate import evaluate
from workers.evaluation.predictions import PREDICTIONS, to_parquet
from workers.pruning.prune import PruneResult, masks_of, prune
from workers.registry import DATA_SETS, METHODS
from workers.training.device import resolve_device
from workers.training.device_data import DeviceData
from workers.training.seeding import seed_everything
from workers.training.train import TrainingResult, train


def run_chain(
    chain: Chain, tasks: Sequence[TaskCell], store: Store, runtime: Runtime, report: Report
) -> None:
    """Make, retrain and evaluate every network of ``chain`` that ``store`` lacks.

    Raises:
        PermanentError: the chain fails and would fail again, as when its training diverges.

    """
    torch.set_num_threads(runtime.threads)
    _Walk(chain, tasks, store, runtime, report).walk()


def release() -> None:
    """Give back what a finished chain held, so that the next one in this process starts clean."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class _Walk:
    """One walk along one chain; what is loaded is loaded for the first stage that is missing."""

    def __init__(
        self,
        chain: Chain,
        tasks: Sequence[TaskCell],
        store: Store,
        runtime: Runtime,
        report: Report,
    ) -> None:
        self.chain, self.tasks, self.store, self.runtime = chain, tasks, store, runtime
        self.report = report
        self.device = resolve_device(runtime.device)

    def walk(self) -> None:
        if self.chain.method is None:
            self._commit(self.chain.parent, 0, self._dense)
            self._evaluate(self.chain.parent, 0)
        for index, level in enumerate(self.chain.levels, start=1):
            self._commit(level.key, index, partial(self._pruned, level, index))
            self._evaluate(level.key, index)

    @cached_property
    def data(self) -> DeviceData:
        return _loaded(self.chain.data, self.chain.fingerprint, self.runtime, self.device)[0]

    @cached_property
    def test(self) -> Images:
        return _loaded(self.chain.data, self.chain.fingerprint, self.runtime, self.device)[1]

    @cached_property
    def made_as(self) -> dict[str, Any]:
        return architecture(
            self.chain.model, channels=self.data.channels, classes=len(self.data.classes)
        )

    def _commit(self, key: str, level: int, make: Callable[[], dict[str, Any]]) -> None:
        if self.store.has(key):
            return
        with self.store.lease(key):
            if self.store.has(key):
                return
            self.seed = seed_everything(key)
            record = make()
            self.store.put(key, record, {WEIGHTS: dump(self.network)})
        self._tell("network", level)

    def _dense(self) -> dict[str, Any]:
        self.network = build(self.made_as).to(self.device)
        trained = self._train(self.chain.parent, self.chain.training, 0, masks=None)
        total = sum(p.numel() for p in self.network.parameters())
        nonzero = sum(int(p.count_nonzero()) for p in self.network.parameters())
        counts = {"requested_ratio": 0.0, "achieved_ratio": 0.0, "within_tolerance": True}
        return (
            self._record("parent", self.chain.training, trained)
            | counts
            | {"parameters": total, "nonzero": nonzero}
        )

    def _pruned(self, level: Level, index: int) -> dict[str, Any]:
        self.network = self._load(level.base)
        pruned = self._prune(level)
        assert self.chain.retraining is not None
        trained = self._train(level.key, self.chain.retraining, index, masks=pruned.masks)
        return self._record("level", self.chain.retraining, trained) | {
            "base": level.base,
            "requested_ratio": pruned.requested,
            "achieved_ratio": pruned.achieved,
            "within_tolerance": pruned.within_tolerance,
            "parameters": pruned.parameters,
            "nonzero": pruned.nonzero,
        }

    def _prune(self, level: Level) -> PruneResult:
        assert self.chain.method is not None
        method = METHODS.create(self.chain.method)
        for ratio in (*level.steps, level.ratio):
            samples = self.data.samples(self.seed) if method.needs_samples else ()
            result = prune(
                self.network, method, ratio, samples=samples, masks=masks_of(self.network)
            )
        return result

    def _train(
        self, key: str, training: Training, level: int, masks: dict[str, torch.Tensor] | None
    ) -> TrainingResult:
        def on_epoch(done: int, total: int, loss: float) -> None:
            self._tell("epoch", level, done, total, f"loss {loss:.3f}")

        return train(
            self.network,
            self.data,
            training,
            seed=self.seed,
            device=self.device,
            masks=masks,
            resume=self.store.scratch(key),
            checkpoint_seconds=self.runtime.checkpoint_seconds,
            on_epoch=on_epoch,
        )

    def _record(self, kind: str, recipe: Training, trained: TrainingResult) -> dict[str, Any]:
        return {
            "kind": kind,
            "created": time.time(),
            "chain": self.chain.name,
            "network": self.made_as,
            "fingerprint": self.chain.fingerprint,
            "training": asdict(recipe),
            "loss": trained.losses,
            "epochs": len(trained.losses),
            "seconds": trained.seconds,
            "environment": self._environment(),
        }

    def _load(self, key: str) -> torch.nn.Module:
        record = self.store.record(key)
        return restore(record["network"], self.store.read(key, WEIGHTS)).to(self.device)

    def _evaluate(self, network: str, level: int) -> None:
        missing = self._missing(network)
        if not missing:
            return
        key = evaluation_key(network, (task.key for task in missing))
        with self.store.lease(key):
            if self.store.has(key):
                return
            start = time.perf_counter()
            predictions = evaluate(
                self._load(network),
                missing,
                self.test,
                mean=self.data.mean,
                std=self.data.std,
                fingerprint=self.chain.fingerprint,
                runtime=self.runtime,
                device=self.device,
            )
            blob = to_parquet(predictions)
            record = {
                "kind": "evaluation",
                "created": time.time(),
                "network": network,
                "tasks": [task.key for task in missing],
                "seconds": time.perf_counter() - start,
                "environment": self._environment(),
            }
            self.store.put(key, record, {PREDICTIONS: blob})
        self._tell("cells", level, len(missing), len(self.tasks))

    def _missing(self, network: str) -> list[TaskCell]:
        done = self.store.evaluated(network)
        return [task for task in self.tasks if task.key not in done]

    def _tell(
        self, kind: Any, level: int = 0, done: int = 0, total: int = 0, detail: str = ""
    ) -> None:
        self.report(
            Event(
                chain=self.chain.name, kind=kind, level=level, done=done, total=total, detail=detail
            )
        )

    def _environment(self) -> dict[str, str]:
        device = self.device
        gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
        return {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": platform.platform(),
            "device": f"{device.type} ({gpu})",
            "threads": str(torch.get_num_threads()),
            "revision": self.runtime.revision,
        }


_WARM: dict[tuple[str, torch.device], tuple[DeviceData, Images]] = {}


def _loaded(
    data: Component, fingerprint: str, runtime: Runtime, device: torch.device
) -> tuple[DeviceData, Images]:
    """Load train and test split, or take those that the last chain of this process left."""
    wanted = (f"{data.name} {sorted(data.options.items())} {fingerprint}", device)
    if wanted not in _WARM:
        _WARM.clear()
        data_set = DATA_SETS.create(data)
        test = data_set.load("test", runtime.data_root)
        _WARM[wanted] = DeviceData(data_set, runtime.data_root, device), test
    return _WARM[wanted]
