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

from orchestrator.execution.duration import duration
from orchestrator.execution.numbers import Numbers
from orchestrator.execution.pace import Pace
from orchestrator.plan.to_do import KINDS, Kind, Work
from workers.contracts import Chain, Event

_SECONDS_BETWEEN = {"network": 2.0, "cells": 2.0, "measure": 2.0}
"""Plain lines of these kinds keep this distance to the line before; the ends always appear."""
_SECONDS_WITHIN = 60.0
"""The same for epochs, and for an evaluation that is not committed yet."""

_ALWAYS = ("failed", "blocked", "retry")
_STYLES = {"failed": "red", "blocked": "yellow", "retry": "yellow"}


class Progress:
    """Shows the events of a run; a context manager.

    ``report`` may be called from any thread and costs microseconds.
    """

    def __init__(
        self,
        chains: Sequence[Chain],
        to_do: Mapping[str, Mapping[Work, int]],
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show a run of the pending ``chains``.

        Args:
            chains: what will run or be blocked.
            to_do: for each of them how much of which work it lacks.
            console: where to show it, standard error by default.
            clock: seconds, for the rate and the time left.

        """
        self._levels = {chain.name: len(chain.levels) for chain in chains}
        self._pace = Pace({chain.name: to_do[chain.name] for chain in chains}, clock)
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
            self._say(f"{self._counts()}, {duration(self._pace.elapsed)}{self._tail()}")

    def report(self, event: Event) -> None:
        """Show what one event changes."""
        with self._lock:
            self._pace.note(event)
            line = self._line(event) if self._is_due(event) else None
        if line is not None:  # outside of the lock, which the drawing thread takes too
            self._say(line, _STYLES.get(event.kind))

    def numbers(self) -> Numbers:
        """Return where the run is now."""
        with self._lock:
            return self._pace.numbers

    def table(self) -> RenderableType:
        """Lay out the whole run and, row by row, its running trials."""
        with self._lock:
            pace = self._pace
            bar, counts = Table.grid(padding=(0, 2)), Table.grid(padding=(0, 2))
            bar.add_row(
                ProgressBar(total=1.0, completed=pace.share, width=30),
                Text(f"{self._listed()}, {duration(pace.elapsed)} elapsed"),
            )
            counts.add_row("chains", Text(self._counts()))
            for kind in self._kinds():
                counts.add_row(kind, f"{pace.done[kind]:,}/{pace.total[kind]:,}")
            trials = Table("chain", "level", "state", "done", box=None, header_style="dim")
            for name, trial in pace.running.items():
                done = f"{trial.done}/{trial.total}" if trial.total else ""
                trials.add_row(Text(name), self._level(name, trial.level), trial.state, done)
            return Group(bar, counts, *([trials] if pace.running else []))

    def _is_due(self, event: Event) -> bool:
        if self._console.is_terminal:
            return event.kind in _ALWAYS
        if event.kind == "start" or (event.kind == "epoch" and not event.done):
            return False
        within = event.kind == "epoch" or event.done < event.total
        distance = _SECONDS_WITHIN if within else _SECONDS_BETWEEN.get(event.kind, 0.0)
        now = self._clock()
        if now - self._last_line < distance:
            return False
        self._last_line = now
        return True

    def _line(self, event: Event) -> str:
        line = f"{event.chain}: {self._what(event)}"
        return line if self._console.is_terminal else f"{line}  [{self._overall()}]"

    def _what(self, event: Event) -> str:
        where = self._level(event.chain, event.level)
        if event.kind == "cells" and event.done < event.total:
            return f"{where}, cell {event.done}/{event.total}"
        return {
            "epoch": f"{where}, epoch {event.done}/{event.total}",
            "network": f"{where}, trained",
            "cells": f"{where}, evaluated",
            "measure": f"measured {event.detail}",
            "waiting": "waiting for another sweep that works on the same network",
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
        return self._listed(
            *(f"{pace.done[kind]:,}/{pace.total[kind]:,} {kind}" for kind in self._kinds())
        )

    def _listed(self, *amounts: str) -> str:
        """List the share that is done, rounded down, ``amounts``, and the time left if any."""
        left = self._pace.left
        time_left = [f"{duration(max(left, 1.0))} left"] if left else []
        return ", ".join([f"{int(100 * self._pace.share)} %", *amounts, *time_left])

    def _kinds(self) -> list[Kind]:
        return [kind for kind in KINDS if self._pace.total[kind]]

    def _counts(self) -> str:
        pace = self._pace
        counts = {"done": pace.ended["finished"], "running": len(pace.running)}
        counts |= {"waiting": pace.waiting}
        counts |= {kind: pace.ended[kind] for kind in ("failed", "blocked")}
        return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n or what == "done")

    def _tail(self) -> str:
        idle = round(100 * self._pace.tail)
        return f" ({idle} % of the workers’ time was idle at the end)" if idle else ""

    def _say(self, line: str, style: str | None = None) -> None:
        self._console.print(Text(line, style or ""), soft_wrap=True)
