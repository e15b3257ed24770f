"""The progress of a run: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.execution.frontier import expected_epochs
from orchestrator.execution.pace import Pace, duration
from workers.contracts import Chain, Event

_SECONDS_BETWEEN = {"epoch": 60.0, "network": 2.0, "cells": 2.0, "measure": 2.0}
"""Plain lines of these kinds keep this distance to the line before; the ends always appear."""

_ALWAYS = ("failed", "blocked", "retry")
_STYLES = {"failed": "red", "blocked": "yellow", "retry": "yellow"}


class Progress:
    """Shows the events of a run; a context manager.

    ``report`` may be called from any thread and costs microseconds.
    """

    def __init__(
        self,
        chains: Sequence[Chain],
        epochs: Mapping[str, int] | None = None,
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show a run of the pending ``chains``.

        Args:
            chains: what will run or be blocked.
            epochs: for each chain what it has yet to train; everything by default.
            console: where to show it, standard error by default.
            clock: seconds, for the rate and the time left.

        """
        yet = {c.name: expected_epochs(c) for c in chains} if epochs is None else epochs
        self._levels = {chain.name: len(chain.levels) for chain in chains}
        self._pace = Pace({chain.name: yet[chain.name] for chain in chains}, clock)
        self._console = console or Console(stderr=True)
        self._clock = clock
        self._last_line = -float("inf")
        self._lock = Lock()
        self._live = Live(
            get_renderable=self.table, console=self._console, transient=True, refresh_per_second=4
        )

    def __enter__(self) -> Progress:
        """Begin to show."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Replace the table by one line that sums the run up, unless there was no run at all."""
        self._live.stop()
        if self._pace.ended.total() or self._pace.running or not isinstance(error, Exception):
            self._say(f"{self._counts()}, {duration(self._pace.elapsed)}")

    def report(self, event: Event) -> None:
        """Show what one event changes."""
        with self._lock:
            self._pace.note(event)
            line = self._line(event) if self._is_due(event) else None
        if line is not None:  # outside of the lock, which the drawing thread takes too
            self._say(line, _STYLES.get(event.kind))

    def table(self) -> RenderableType:
        """Lay out the whole run and, row by row, its running trials."""
        with self._lock:
            pace = self._pace
            bar = Table.grid(padding=(0, 2))
            bar.add_row(
                ProgressBar(total=pace.total, completed=pace.done, width=30),
                Text(f"{self._overall()}, {duration(pace.elapsed)} elapsed"),
            )
            trials = Table("chain", "level", "epoch", "state", box=None, header_style="dim")
            for name, trial in pace.running.items():
                epoch = f"{trial.done}/{trial.total}" if trial.total else ""
                trials.add_row(Text(name), self._level(name, trial.level), epoch, trial.state)
            return Group(
                bar, Text(f"chains: {self._counts()}"), *([trials] if pace.running else [])
            )

    def _is_due(self, event: Event) -> bool:
        if self._console.is_terminal:
            return event.kind in _ALWAYS
        now = self._clock()
        if event.kind == "start" or now - self._last_line < _SECONDS_BETWEEN.get(event.kind, 0.0):
            return False
        self._last_line = now
        return True

    def _line(self, event: Event) -> str:
        line = f"{event.chain}: {self._what(event)}"
        return line if self._console.is_terminal else f"{line}  [{self._overall()}]"

    def _what(self, event: Event) -> str:
        where = self._level(event.chain, event.level)
        return {
            "epoch": f"{where}, epoch {event.done}/{event.total}",
            "network": f"{where}, trained",
            "cells": f"{where}, evaluated",
            "measure": f"measured {event.detail}",
            "finished": "done",
            "failed": f"failed: {event.detail}",
            "blocked": f"blocked, {event.detail} failed",
            "retry": f"trying again after {event.detail}",
        }[event.kind]

    def _level(self, chain: str, level: int) -> str:
        if not self._levels[chain]:
            return "dense"
        return f"level {level}/{self._levels[chain]}" if level else ""

    def _overall(self) -> str:
        pace = self._pace
        left = "" if pace.left is None else f", {duration(pace.left)} left"
        return f"{pace.done:,}/{pace.total:,} {pace.unit}{left}"

    def _counts(self) -> str:
        pace = self._pace
        counts = {"done": pace.ended["finished"], "running": len(pace.running)}
        counts |= {"waiting": pace.waiting}
        counts |= {kind: pace.ended[kind] for kind in ("failed", "blocked")}
        return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n or what == "done")

    def _say(self, line: str, style: str | None = None) -> None:
        self._console.print(Text(line, style or ""), soft_wrap=True)
