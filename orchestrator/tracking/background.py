"""Publishes from a thread of its own, so that MLflow can be slow or down and the sweep goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from orchestrator.tracking.progress import Progress
from orchestrator.tracking.tracker import Tracker
from workers.contracts import Chain, Event


class BackgroundTracker:
    """Takes the events of a live sweep and keeps MLflow up to date, as far as MLflow lets it."""

    def __init__(
        self, tracker: Tracker, warn: Callable[[str], None], *, patience: float = 60.0
    ) -> None:
        """Begin at the first event, with everything that is committed already.

        Args:
            tracker: nobody else uses it before ``close``.
            warn: shows one short message, from another thread.
            patience: the longest wait between two attempts, in seconds; it doubles from one second.

        """
        self._tracker, self._warn, self._patience = tracker, warn, patience
        self._chains = tracker.plan.chains
        self._pending = {chain.name for chain in self._chains}
        self._running: set[str] = set()
        self._failed: dict[str, str] = {}
        self._lock = threading.Lock()
        self._news, self._closing = threading.Event(), threading.Event()
        self._problem: Exception | None = None
        self._news.set()
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)

    def report(self, event: Event) -> None:
        """Note what a trial tells; returns at once."""
        if event.kind == "epoch" or event.done < event.total:
            return
        with self._lock:
            if event.kind in _OVER:
                self._running.discard(event.chain)
            else:
                self._running.add(event.chain)
            self._failed.pop(event.chain, None)
            if event.kind in ("failed", "blocked"):
                self._failed[event.chain] = event.detail or event.kind
            self._pending.add(event.chain)
        self._news.set()
        if self._thread.ident is None:
            self._thread.start()

    def close(self, timeout: float = 30.0) -> bool:
        """Publish what is missing and tell whether MLflow now has everything.

        After ``timeout`` seconds, or when MLflow refuses, the user is told how to catch up.
        """
        if self._thread.ident is None:
            return True
        self._closing.set()
        self._news.set()
        self._thread.join(timeout)
        behind = self._thread.is_alive() or self._problem is not None
        if behind:
            self._warn(catch_up(self._tracker))
        return not behind

    def _work(self) -> None:
        wait = 0.0
        while not self._closing.is_set():
            self._news.wait()
            self._news.clear()
            if self._publish(ended=False):
                wait = 0.0
            else:
                wait = min(max(1.0, 2 * wait), self._patience)
                self._closing.wait(wait)
                self._news.set()
        with self._lock:
            self._pending = {chain.name for chain in self._chains}
        if not self._publish(ended=True):
            time.sleep(_AGAIN)
            self._publish(ended=True)

    def _publish(self, *, ended: bool) -> bool:
        with self._lock:
            names, self._pending = self._pending, set()
            progress = Progress(
                running=frozenset(self._running), failed=dict(self._failed), ended=ended
            )
        try:
            self._tracker.publish(self._of(names), progress)
        except Exception as problem:  # whatever it is, it must not reach the sweep
            with self._lock:
                self._pending |= names
            if self._problem is None and not ended:
                self._warn(f"{problem}\nThe sweep goes on; MLflow is tried again.")
            self._problem = problem
            return False
        self._problem = None
        return True

    def _of(self, names: Iterable[str]) -> list[Chain]:
        return [chain for chain in self._chains if chain.name in names]


def catch_up(tracker: Tracker) -> str:
    """Say how MLflow gets what it lacks."""
    command = f"prunesweep publish {tracker.plan.spec.source}"
    return f"MLflow lacks results that are in the store; catch up with: {command}"


_OVER = ("finished", "failed", "blocked")
_AGAIN = 2.0
"""Seconds until the last publish is tried once more: a server may have just come back."""
