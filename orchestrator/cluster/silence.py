"""Ends trials of which nothing is heard any more: a hung GPU, a dead mount, a frozen process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray


@dataclass
class _Heard:
    trial: Any
    at: float
    ended: bool = False


class Silence:
    """Watches the running trials of a driver, and kills the process of one that says nothing.

    Tune sees the process die and tries the chain again, as after any crash.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow trials ``seconds`` between two reports; 0 allows them any time."""
        self._seconds = seconds
        self._clock = clock
        self._heard: dict[str, _Heard] = {}

    def hear(self, trial: Any) -> None:
        """Note that ``trial`` began or reported."""
        self._heard[trial.trial_id] = _Heard(trial, self._clock())

    def forget(self, trial: Any) -> str | None:
        """Stop watching a trial that ended; if it was ended for its silence, say so."""
        known = self._heard.pop(trial.trial_id, None)
        if known is None or not known.ended:
            return None
        return f"hung: nothing was heard of it for {self._seconds:g} s"

    def check(self) -> None:
        """End what has been silent for too long."""
        if not self._seconds:
            return
        now = self._clock()
        for known in self._heard.values():
            if not known.ended and now - known.at > self._seconds:
                known.ended = True
                if (actor := known.trial.temporary_state.ray_actor) is not None:
                    ray.kill(actor)
