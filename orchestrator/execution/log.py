"""The progress of a run as structured log: one JSON object a line, for what collects logs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from types import TracebackType
from typing import Any, TextIO

from orchestrator.execution.numbers import Numbers
from orchestrator.execution.pace import Pace
from orchestrator.execution.progress import Progress
from orchestrator.plan.to_do import Work
from workers.contracts import Chain, Event

VARIABLE, JSON = "PRUNESWEEP_LOG", "json"
_LEVELS = {"failed": "error", "blocked": "error", "retry": "warning"}


class JsonProgress:
    """Writes every event of a run as one JSON object; a context manager, as ``Progress`` is.

    Its keys: ``time`` (UTC, ISO 8601), ``level`` (``info``, ``warning``, ``error``), ``sweep``,
    ``chain``, ``prune_level`` (0 for the parent), ``kind``, ``done``, ``total`` and ``detail`` as
    in ``Event``, then of the whole run ``share`` (0 to 1) and ``seconds_left`` (null while too
    little is known). The last line is of kind ``end`` and has ``chains``, counted by state, and
    ``seconds`` instead.
    """

    def __init__(
        self,
        sweep: str,
        chains: Sequence[Chain],
        to_do: Mapping[str, Mapping[Work, int]],
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Log a run of the pending ``chains``.

        Args:
            sweep: its name.
            chains: what will run or be blocked.
            to_do: for each of them how much of which work it lacks.
            stream: where to write, standard error by default.
            clock: seconds, for the rate and the time left.
            now: the time of day.

        """
        self._sweep = sweep
        self._pace = Pace({chain.name: to_do[chain.name] for chain in chains}, clock)
        self._stream = stream or sys.stderr
        self._now = now
        self._lock = Lock()

    def __enter__(self) -> JsonProgress:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Sum the run up."""
        numbers = self.numbers()
        level = "error" if error or numbers.chains["failed"] else "info"
        told = {"chains": dict(numbers.chains), "seconds": round(self._pace.elapsed, 3)}
        with self._lock:
            self._write(level, {"kind": "end", **told})

    def report(self, event: Event) -> None:
        """Write one event; may be called from any thread."""
        with self._lock:
            self._pace.note(event)
            left = self._pace.left
            fields = {
                "chain": event.chain,
                "prune_level": event.level,
                "kind": event.kind,
                "done": event.done,
                "total": event.total,
                "detail": event.detail,
                "share": round(self._pace.share, 4),
                "seconds_left": None if left is None else round(left, 1),
            }
            self._write(_LEVELS.get(event.kind, "info"), fields)

    def numbers(self) -> Numbers:
        """Return where the run is now."""
        with self._lock:
            return self._pace.numbers

    def _write(self, level: str, fields: Mapping[str, Any]) -> None:
        time = self._now().isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "level": level, "sweep": self._sweep, **fields})
        print(line, file=self._stream, flush=True)


def progress_of(
    sweep: str, chains: Sequence[Chain], to_do: Mapping[str, Mapping[Work, int]]
) -> Progress | JsonProgress:
    """Choose how a run tells its progress: as JSON where ``PRUNESWEEP_LOG=json``."""
    if os.environ.get(VARIABLE, "").lower() == JSON:
        return JsonProgress(sweep, chains, to_do)
    return Progress(chains, to_do)
