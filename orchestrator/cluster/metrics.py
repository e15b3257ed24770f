"""Tells Prometheus how a run goes, through the exporter of the node that drives it.

Ray prefixes every name with ``ray_``. Memory and load of GPUs are Ray's own metrics already
(``ray_node_gram_used``, ``ray_node_gpus_utilization``).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType

from ray.util.metrics import Counter, Gauge

from orchestrator.execution.numbers import Numbers

SECONDS = 5.0
CHAINS, LEFT = "prunesweep_chains", "prunesweep_seconds_left"
DONE = {
    "networks": "prunesweep_networks_total",
    "epochs": "prunesweep_epochs_total",
    "cells": "prunesweep_cells_total",
    "measures": "prunesweep_measures_total",
    "images": "prunesweep_images_total",
}
CACHED = "prunesweep_cache_hits_total"
EXPORTED = tuple(f"ray_{name}" for name in (CHAINS, LEFT, *DONE.values(), CACHED))


class Metrics:
    """Exports the numbers of a run every few seconds; a context manager within a Ray session."""

    def __init__(self, sweep: str, look: Callable[[], Numbers]) -> None:
        """Export what ``look`` returns, under the name of the ``sweep``."""
        self._look = look
        self._tags = {"sweep": sweep}
        self._chains = Gauge(CHAINS, "Chains of the run by state.", ("sweep", "state"))
        self._left = Gauge(LEFT, "Expected seconds until the run ends.", ("sweep",))
        self._done = {
            kind: Counter(name, f"Done since the driver began: {kind}.", ("sweep",))
            for kind, name in DONE.items()
        }
        self._cached = Counter(CACHED, "Found in the store when the run began.", ("sweep", "kind"))
        self._told: dict[str, float] = {}
        self._over = Event()
        self._thread = Thread(target=self._repeat, daemon=True, name="metrics")

    def __enter__(self) -> Metrics:
        """Begin."""
        for kind, count in self._look().cached.items():
            if count:
                self._cached.inc(count, {**self._tags, "kind": kind})
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Export the last numbers."""
        self._over.set()
        self._thread.join()
        self._export()

    def _repeat(self) -> None:
        while not self._over.wait(SECONDS):
            self._export()

    def _export(self) -> None:
        now = self._look()
        for state, count in now.chains.items():
            self._chains.set(count, {**self._tags, "state": state})
        if now.seconds_left is not None:
            self._left.set(now.seconds_left, self._tags)
        for kind, counter in self._done.items():
            # What a failed chain leaves is no longer counted as done, and a counter never falls.
            if (new := now.done[kind] - self._told.get(kind, 0.0)) > 0:
                counter.inc(new, self._tags)
                self._told[kind] = now.done[kind]
