"""The order of chains: which may start next, and what a failure blocks.

A chain waits for at most one other, its dense parent, whose failure blocks it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from workers.contracts import Chain, Event, Report


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        failed: the failed chains, each with its cause (exception type, first line of the message).
        blocked: the chains that never started, each with the failed chain that it waited for.

    """

    failed: Mapping[str, str] = field(default_factory=dict)
    blocked: Mapping[str, str] = field(default_factory=dict)


class Frontier:
    """The chains that may start: parents first, then the longest, each once its parent is done."""

    def __init__(self, chains: Sequence[Chain], done: Collection[str], report: Report) -> None:
        """Order ``chains``; ``report`` is told how each of them ends.

        Raises:
            ValueError: a chain waits for one that is neither pending nor complete.

        """
        _check(chains, done)
        self._waiting = sorted(chains, key=lambda c: (c.waits_for is not None, -expected_epochs(c)))
        self._done = set(done)
        self._report = report
        self.running: set[str] = set()
        self.failed: dict[str, str] = {}
        self.blocked: dict[str, str] = {}

    @property
    def exhausted(self) -> bool:
        """Whether no chain will start any more."""
        return not self._waiting

    @property
    def outcome(self) -> Outcome:
        """What failed and what was blocked so far."""
        return Outcome(dict(self.failed), dict(self.blocked))

    def start(self) -> Chain | None:
        """Hand out the next chain, or None if nothing may start yet."""
        for chain in self._waiting:
            if chain.waits_for is None or chain.waits_for in self._done:
                self._waiting.remove(chain)
                self.running.add(chain.name)
                return chain
        return None

    def end(self, name: str, cause: str | None) -> None:
        """Close a running chain, as done or, with a ``cause``, as failed."""
        self.running.remove(name)
        if cause is None:
            self._done.add(name)
            self._report(Event(chain=name, kind="finished"))
        else:
            self.failed[name] = cause
            self._report(Event(chain=name, kind="failed", detail=cause))
            self._block(name, name)

    def _block(self, name: str, failed: str) -> None:
        heirs = [chain for chain in self._waiting if chain.waits_for == name]
        self._waiting = [chain for chain in self._waiting if chain.waits_for != name]
        for heir in heirs:
            self.blocked[heir.name] = failed
            self._report(Event(chain=heir.name, kind="blocked", detail=failed))
            self._block(heir.name, failed)


def expected_epochs(chain: Chain) -> int:
    """Epochs of the whole chain, if nothing of it were committed: what its cost is judged by."""
    return (chain.retraining or chain.training).epochs * len(chain.networks)


def _check(chains: Sequence[Chain], done: Collection[str]) -> None:
    known = {chain.name for chain in chains}.union(done)
    for chain in chains:
        if chain.waits_for is not None and chain.waits_for not in known:
            raise ValueError(f"{chain.name} waits for {chain.waits_for}, which is not in the plan")
