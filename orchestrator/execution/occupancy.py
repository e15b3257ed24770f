"""How many chains ran at once, and how long workers had nothing left to do."""

from __future__ import annotations


class Occupancy:
    """Chain-seconds of a run."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self.busy = 0.0
        self._idle = 0.0
        self._most = 0

    def count(self, seconds: float, running: int, waiting: int) -> None:
        """Count ``seconds`` during which so many chains ran and so many waited to start."""
        self.busy += running * seconds
        self._most = max(self._most, running)
        if not waiting:
            self._idle += (self._most - running) * seconds

    @property
    def tail(self) -> float:
        """The part of all workers' time that was idle because no chain was left to start."""
        return self._idle / all_of_it if (all_of_it := self.busy + self._idle) else 0.0
