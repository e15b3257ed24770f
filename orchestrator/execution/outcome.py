"""What the last run of a sweep could not do, kept in the store for status and report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from orchestrator.execution.frontier import Outcome
from orchestrator.store.errors import StoreError

if TYPE_CHECKING:
    from orchestrator.store import Store
    from workers.contracts import Event

SHARE = 0.05
"""Of a run's time that noting what fails may take: the note grows with what has failed.

What is told in between is noted at the next event.
"""


class OutcomeSoFar:
    """Notes what a run could not do while it goes; what failed in the run before is forgotten."""

    def __init__(
        self, store: Store, sweep: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing, noted once a chain of ``sweep`` starts."""
        self._store = store
        self._sweep = sweep
        self._clock = clock
        self._told: dict[str, dict[str, str]] = {"failed": {}, "blocked": {}}
        self._changed = True
        self._due = float("-inf")

    def report(self, event: Event) -> None:
        """Note what ``event`` tells of, if it is time to; a store that fails ends no run."""
        if event.kind in self._told:
            self._told[event.kind][event.chain] = event.detail
            self._changed = True
        if self._changed and self._clock() >= self._due:
            self._write()

    def close(self) -> None:
        """Note what was told last, if a chain started: an interrupted run notes nothing else."""
        if self._changed and self._due > float("-inf"):
            self._write()

    def _write(self) -> None:
        start = self._clock()
        with suppress(OSError, StoreError):
            write_outcome(self._store, self._sweep, Outcome(**self._told))
            self._changed = False
        end = self._clock()
        self._due = end + (end - start) / SHARE


def write_outcome(store: Store, sweep: str, outcome: Outcome) -> None:
    """Replace what is known of the last run of ``sweep``."""
    told = {"failed": dict(outcome.failed), "blocked": dict(outcome.blocked)}
    store.write_note(_note(sweep), json.dumps(told).encode())


def read_outcome(store: Store, sweep: str) -> Outcome:
    """Return the outcome of the last run of ``sweep``; an empty one when it never ran."""
    note = store.read_note(_note(sweep))
    try:
        told = json.loads(note) if note else {}
        return Outcome(dict(told.get("failed", {})), dict(told.get("blocked", {})))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Outcome()  # damaged: it is a convenience, and the next run writes it anew


def _note(sweep: str) -> str:
    """Spell the name of a sweep with what the name of a note may have."""
    return f"_{quote(sweep, safe='')}".replace("%", ".").replace("~", ".7E")
