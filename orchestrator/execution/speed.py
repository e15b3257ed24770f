"""How long a unit of each work takes, learnt while a run goes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from orchestrator.plan.to_do import Work

_Class = tuple[str, ...]


class Speed:
    """Seconds of a unit of work, learnt from those that were timed.

    What was never timed takes as long for a forward pass as the same kind of work on other
    networks, or else as everything so far.
    """

    def __init__(self) -> None:
        """Begin without any knowledge: a pass takes a second."""
        self._seconds: defaultdict[_Class, float] = defaultdict(float)
        self._passes: defaultdict[_Class, float] = defaultdict(float)

    @property
    def known(self) -> bool:
        """Whether anything was timed."""
        return self._passes[()] > 0 and self._seconds[()] > 0

    def measure(self, work: Work, seconds: float, count: int) -> None:
        """Learn that ``count`` units of ``work`` took ``seconds``."""
        for one in _classes(work):
            self._seconds[one] += seconds
            self._passes[one] += count * work.passes

    def seconds(self, work: Work) -> float:
        """Say how long one unit of ``work`` takes; more than nothing."""
        for one in _classes(work):
            if self._passes[one] > 0 and self._seconds[one] > 0:
                return self._seconds[one] / self._passes[one] * work.passes
        return work.passes


def _classes(work: Work) -> Iterator[_Class]:
    """List ever wider classes of work, in which a pass takes ever less the same time."""
    yield work.kind, work.label, work.network
    yield work.kind, work.label
    yield (work.kind,)
    yield ()
