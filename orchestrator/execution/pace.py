"""How far a run is, how fast it goes and how long it will take, from the events alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.execution.numbers import Numbers
from orchestrator.execution.speed import Entry, Speed
from orchestrator.plan.to_do import EPOCH_PASSES, KINDS, Kind, Work
from workers.contracts import Event

_STATES = {
    "start": "starting",
    "epoch": "training",
    "network": "evaluating",
    "cells": "evaluating",
    "measure": "measuring",
    "waiting": "waiting for another sweep",
    "retry": "trying again",
}
_KINDS: Mapping[str, Kind] = {
    "epoch": "epochs",
    "network": "networks",
    "cells": "cells",
    "measure": "measures",
}
_ENDS = ("finished", "failed", "blocked")
WARM_UP = 30.0


@dataclass
class TrialState:
    """What a running trial told last: what it does at ``level``, ``done`` of ``total`` of it."""

    level: int = 0
    done: int = 0
    total: int = 0
    state: str = "starting"


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
        self.done: Counter[Kind] = Counter()
        self.total: Counter[Kind] = Counter()
        self._entries = {
            name: [Entry(*one) for one in works.items()] for name, works in to_do.items()
        }
        self._made: Counter[Work] = Counter()
        self._rest: Counter[Work] = Counter()
        self._speed = Speed()
        self._heard: dict[str, float] = {}
        self._busy = self._idle = 0.0
        self._most = 0
        self._clock = clock
        self._created = self._last = clock()
        self._started: float | None = None
        for name in to_do:
            self._add(name, 1)

    def note(self, event: Event) -> None:
        """Take account of one event."""
        now = self._clock()
        if self._started is None:
            self._started = now
        self._pass(now)
        self._add(event.chain, -1)
        if event.kind in _ENDS:
            self._end(event)
        else:
            self._work(event, now)
        self._add(event.chain, 1)

    def _pass(self, now: float) -> None:
        """Count the chain-seconds since the last event, and those left empty at the end."""
        seconds = now - self._last
        self._busy += len(self.running) * seconds
        self._most = max(self._most, len(self.running))
        if not self.waiting:
            self._idle += (self._most - len(self.running)) * seconds
        self._last = now

    def _add(self, chain: str, sign: int) -> None:
        for entry in self._entries[chain]:
            done, count, kind = entry.done, entry.count, entry.work.kind
            self.done[kind] += sign * done
            self.total[kind] += sign * count
            self._made[entry.work] += sign * done
            self._rest[entry.work] += sign * (count - done)

    def _work(self, event: Event, now: float) -> None:
        trial = self.running.setdefault(event.chain, TrialState())
        seconds = now - self._heard.get(event.chain, now)
        self._heard[event.chain] = now
        begins = event.kind == "epoch" and not event.done
        if begins and trial.state != "starting":  # else the process may have just begun too
            self._credit(event, "networks", seconds, 0)
        elif event.kind in _KINDS and not begins:
            amount = event.done if event.kind in ("epoch", "cells") else 1
            self._credit(event, _KINDS[event.kind], seconds, amount)
        self._show(trial, event)

    def _credit(self, event: Event, kind: Kind, seconds: float, amount: int) -> None:
        """Count what was done since the last event; ``amount`` is all that its network has."""
        for entry in self._entries[event.chain]:
            work = entry.work
            if work.kind == kind and work.label in ("", event.detail):
                new = entry.advance(event.level, amount) if amount else 0
                self._speed.measure(work, seconds, new)

    def _show(self, trial: TrialState, event: Event) -> None:
        trial.state = _STATES[event.kind]
        trial.done, trial.total = event.done, event.total
        if event.kind in ("epoch", "network", "cells"):
            trial.level = event.level
        if event.kind == "cells" and event.done == event.total:
            rest = {one.work.kind for one in self._entries[event.chain] if one.done < one.count}
            trial.state = "measuring" if rest == {"measures"} else "pruning"
            trial.done = trial.total = 0

    def _end(self, event: Event) -> None:
        self.running.pop(event.chain, None)
        self.ended[event.kind] += 1
        for entry in self._entries[event.chain]:
            if event.kind == "finished":
                entry.levels = {0: entry.count}
            else:
                entry.count = entry.done

    @property
    def waiting(self) -> int:
        """Chains that have neither started nor ended."""
        return self.chains - len(self.running) - self.ended.total()

    @property
    def numbers(self) -> Numbers:
        """All of it, for whoever watches from outside."""
        images = sum(
            count * work.passes / (EPOCH_PASSES if work.kind == "epochs" else 1)
            for work, count in self._made.items()
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
        return self._idle / all_of_it if (all_of_it := self._busy + self._idle) else 0.0

    @property
    def share(self) -> float:
        """How much of the work is done, from 0 to 1, by the time that it takes."""
        made, rest = self._seconds(self._made.items()), self._seconds(self._rest.items())
        return made / (made + rest) if rest else 1.0

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, or None while too little was measured to tell."""
        rest = self._seconds(self._rest.items())
        if not rest:
            return 0.0
        if self._started is None or not self._speed.known:
            return None
        now = self._clock()
        worked = now - self._started
        if worked < WARM_UP and self.share < 1 / 50:
            return None  # mostly what happens once
        busy = self._busy + len(self.running) * (now - self._last)
        at_once = busy / worked if busy else 1.0
        return max(rest / at_once, *map(self._of, self.running), 0.0)

    def _of(self, chain: str) -> float:
        entries = self._entries[chain]
        return self._seconds((one.work, one.count - one.done) for one in entries)

    def _seconds(self, works: Iterable[tuple[Work, int]]) -> float:
        return sum(count * self._speed.seconds(work) for work, count in works if count)


def duration(seconds: float) -> str:
    """Spell a duration in its two largest units: ``2 h 05 min``, ``4 min 10 s``, ``35 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours:02} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
