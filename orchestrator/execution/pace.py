"""How far a run is, how fast it goes and how long it will take, from the events alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from orchestrator.execution.numbers import Numbers
from orchestrator.execution.occupancy import Occupancy
from orchestrator.execution.speed import Speed
from orchestrator.execution.trial_state import TrialState
from orchestrator.execution.workload import Workload
from orchestrator.plan.to_do import EPOCH_PASSES, KINDS, Kind, Work
from workers.contracts import Event

_KINDS: Mapping[str, Kind] = {
    "epoch": "epochs",
    "network": "networks",
    "cells": "cells",
    "measure": "measures",
}
_ENDS = ("finished", "failed", "blocked")
WARM_UP = 30.0


class Pace:
    """The work of the pending chains, done and to be done, and the speed of each kind of it.

    What a failed or blocked chain leaves undone no longer counts. The time left is what every kind
    of work that remains takes at its measured speed, divided by how many chains ran at once on
    average; but no less than what is left of any running chain.

    Attributes:
        chains: how many there are.
        running: the trials that have started and not ended, by chain.
        ended: how many chains ``finished``, ``failed`` and were ``blocked``.
        done: how much of each kind is done.
        total: how much of each kind there is.
        share: how much of the work is done, from 0 to 1, by the time that it takes. It falls when
            a failure loses work, and never for what is learnt about speeds meanwhile.

    """

    def __init__(
        self,
        to_do: Mapping[str, Mapping[Work, int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Expect ``to_do``: how much of which work each pending chain lacks."""
        self.chains = len(to_do)
        self.running: dict[str, TrialState] = {}
        self.ended: Counter[str] = Counter()
        self._workload = Workload(to_do)
        self.done, self.total = self._workload.done, self._workload.total
        self._speed = Speed()
        self._occupancy = Occupancy()
        self._heard: dict[str, float] = {}
        self._clock = clock
        self._created = self._last = clock()
        self._started: float | None = None
        self.share = self._share()

    def note(self, event: Event) -> None:
        """Take account of one event."""
        now, made = self._clock(), self._workload.made.total()
        if self._started is None:
            self._started = now
        self._occupancy.count(now - self._last, len(self.running), self.waiting)
        self._last = now
        if event.kind in _ENDS:
            self._end(event)
        else:
            self._work(event, now)
        lost = self._workload.made.total() < made
        self.share = self._share() if lost else max(self.share, self._share())

    def _work(self, event: Event, now: float) -> None:
        trial = self.running.setdefault(event.chain, TrialState())
        seconds = now - self._heard.get(event.chain, now)
        self._heard[event.chain] = now
        begins = event.kind == "epoch" and not event.done
        if event.kind == "retry":
            for entry in self._workload.of(event.chain):
                entry.doubt()
        elif begins and trial.state != "starting":  # else the process may have just begun too
            self._credit(event, "networks", seconds, 0)
        elif event.kind in _KINDS and not begins:
            amount = event.done if event.kind in ("epoch", "cells") else 1
            self._credit(event, _KINDS[event.kind], seconds, amount)
        left = {work.kind for work, count in self._workload.left_of(event.chain) if count}
        trial.show(event, measures_alone=left == {"measures"})

    def _credit(self, event: Event, kind: Kind, seconds: float, amount: int) -> None:
        """Count what was done since the last event; ``amount`` is all that its network has."""
        with self._workload.changing(event.chain) as entries:
            for entry in entries:
                work = entry.work
                if work.kind == kind and work.label in ("", event.detail):
                    new = entry.advance(event.level, amount) if amount else 0
                    self._speed.measure(work, seconds, new)

    def _end(self, event: Event) -> None:
        self.running.pop(event.chain, None)
        self.ended[event.kind] += 1
        with self._workload.changing(event.chain) as entries:
            for entry in entries:
                if event.kind == "finished":
                    entry.finish()
                else:
                    entry.abandon()

    @property
    def waiting(self) -> int:
        """Chains that have neither started nor ended."""
        return self.chains - len(self.running) - self.ended.total()

    @property
    def numbers(self) -> Numbers:
        """All of it, for whoever watches from outside."""
        images = sum(
            count * work.passes / (EPOCH_PASSES if work.kind == "epochs" else 1)
            for work, count in self._workload.made.items()
            if work.kind in ("epochs", "cells")
        )
        chains = {"waiting": self.waiting, "running": len(self.running)}
        chains |= {"done": self.ended["finished"]}
        chains |= {kind: self.ended[kind] for kind in ("failed", "blocked")}
        done = {kind: float(self.done[kind]) for kind in KINDS} | {"images": images}
        return Numbers(chains=chains, done=done, seconds_left=self.left)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._created

    @property
    def tail(self) -> float:
        """The part of all workers' time that was idle because no chain was left to start."""
        return self._occupancy.tail

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, or None while too little was measured to tell."""
        rest = self._seconds(self._workload.rest.items())
        if not rest:
            return 0.0
        if self._started is None or not self._speed.known:
            return None
        now = self._clock()
        worked = now - self._started
        if worked < WARM_UP and self._share() < 1 / 50:
            return None  # mostly what happens once
        busy = self._occupancy.busy + len(self.running) * (now - self._last)
        at_once = busy / worked if busy else 1.0
        of_chains = (self._seconds(self._workload.left_of(chain)) for chain in self.running)
        return max(rest / at_once, *of_chains, 0.0)

    def _share(self) -> float:
        made = self._seconds(self._workload.made.items())
        rest = self._seconds(self._workload.rest.items())
        return made / (made + rest) if rest else 1.0

    def _seconds(self, works: Iterable[tuple[Work, int]]) -> float:
        return sum(count * self._speed.seconds(work) for work, count in works if count)
