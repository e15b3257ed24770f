"""How far a run is, how fast it goes and how long it will take, from the events alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workers.contracts import Event

_STATES = {"start": "starting", "epoch": "training", "network": "evaluating", "cells": "pruning"}
_ENDS = ("finished", "failed", "blocked")
WARM_UP = 30.0


@dataclass
class TrialState:
    """What a running trial told last: the epochs of the network at ``level``, and what it does."""

    level: int = 0
    done: int = 0
    total: int = 0
    state: str = "starting"


class Pace:
    """The epochs of the pending chains, trained and untrained; chains, if nothing is to be trained.

    What a failed or blocked chain leaves untrained no longer counts. The time left supposes that
    epochs go on at the rate measured since the first trial started, evaluation included.

    Attributes:
        chains: how many there are.
        unit: what ``done`` and ``total`` count: ``epochs`` or ``chains``.
        running: the trials that have started and not ended, by chain.
        ended: how many chains ``finished``, ``failed`` and were ``blocked``.

    """

    def __init__(self, epochs: Mapping[str, int], clock: Callable[[], float] = time.monotonic):
        """Expect ``epochs``: for each pending chain what it has yet to train."""
        self.chains = len(epochs)
        self.unit = "epochs" if any(epochs.values()) else "chains"
        self.running: dict[str, TrialState] = {}
        self.ended: Counter[str] = Counter()
        self._epochs = dict(epochs)
        self._trained: dict[str, dict[int, int]] = {name: {} for name in epochs}
        self._total = sum(epochs.values())
        self._done = 0
        self._measured = 0
        self._clock = clock
        self._created = clock()
        self._started: float | None = None

    def note(self, event: Event) -> None:
        """Take account of one event."""
        if self._started is None:
            self._started = self._clock()
        self._done -= self._trained_of(event.chain)
        self._total -= self._epochs[event.chain]
        self._follow(event)
        self._done += self._trained_of(event.chain)
        self._total += self._epochs[event.chain]

    def _follow(self, event: Event) -> None:
        if event.kind in _ENDS:
            self._end(event)
            return
        trial = self.running.setdefault(event.chain, TrialState())
        trial.state = _STATES.get(event.kind, "trying again")
        if event.kind == "epoch":
            levels = self._trained[event.chain]
            self._measured += max(event.done - levels.get(event.level, 0), 0)
            levels[event.level] = event.done
            trial.done, trial.total = event.done, event.total
        if event.kind in ("epoch", "network", "cells"):
            trial.level = event.level

    def _end(self, event: Event) -> None:
        self.running.pop(event.chain, None)
        self.ended[event.kind] += 1
        trained = self._trained[event.chain]
        if event.kind == "finished":
            trained[-1] = self._epochs[event.chain] - sum(trained.values())
        else:
            self._epochs[event.chain] = self._trained_of(event.chain)

    def _trained_of(self, chain: str) -> int:
        return min(sum(self._trained[chain].values()), self._epochs[chain])

    @property
    def total(self) -> int:
        """All there is to do, failed and blocked work aside."""
        return self._total if self.unit == "epochs" else self.chains

    @property
    def done(self) -> int:
        """How much of ``total`` is done."""
        return self._done if self.unit == "epochs" else self.ended.total()

    @property
    def waiting(self) -> int:
        """Chains that have neither started nor ended."""
        return self.chains - len(self.running) - self.ended.total()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._created

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, or None while too little was measured to tell."""
        measured = self._measured if self.unit == "epochs" else self.done
        if not measured or self._started is None:
            return None
        worked = self._clock() - self._started
        if worked < WARM_UP and measured < self.total / 50:
            return None  # mostly imports and the loading of data
        return worked / measured * (self.total - self.done)


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
