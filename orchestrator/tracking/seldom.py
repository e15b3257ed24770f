"""Looks at a whole sweep while it runs, without slowing it."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 0.05


class Seldom:
    """Repeats what takes long so seldom that it takes a twentieth of the time at most."""

    def __init__(
        self, look: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Repeat ``look``, which grows with the sweep."""
        self._look = look
        self._clock = clock
        self._seen = ""
        self._due = float("-inf")

    def __call__(self, *, at_once: bool) -> str:
        """Look if it is time to, or ``at_once``; else return what was seen last."""
        start = self._clock()
        if at_once or start >= self._due:
            self._seen = self._look()
            end = self._clock()
            self._due = end + (end - start) / SHARE
        return self._seen
