"""The order of chains: which may start next, and what a failure blocks.

A chain waits for its dense parent, whose failure blocks it, and for that of another seed if it is
compared with it. Without the latter it still prunes and tests; then its measures wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from orchestrator.plan.work import epochs_each
from workers.contracts import Chain, Event, MissingNetworkError, Report


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        failed: the failed chains, each with its cause (exception type, first line of the message).
        blocked: the chains that never started, each with the failed chain that it waited for.

    """

    failed: Mapping[str, str] = field(default_factory=dict)
    blocked: Mapping[str, str] = field(default_factory=dict)


_Entry = tuple[bool, int, int, Chain]
"""A chain behind what orders it: parents first, then the most epochs, then its place."""


class Frontier:
    """The chains that may start: parents first, then the longest, each after what it waits for."""

    def __init__(self, chains: Sequence[Chain], done: Collection[str], report: Report) -> None:
        """Order ``chains``; ``report`` is told how each of them ends.

        Raises:
            ValueError: a chain waits for one that is neither pending nor complete.

        """
        _check(chains, done)
        self._chains = {chain.name: chain for chain in chains}
        self._ready: list[_Entry] = []
        self._heirs: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._waiting = {chain.name: set(chain.waits_for).difference(done) for chain in chains}
        for place, chain in enumerate(chains):
            entry = bool(chain.waits_for), -expected_epochs(chain), place, chain
            if not self._waiting[chain.name]:
                self._ready.append(entry)
            for name in self._waiting[chain.name]:
                self._heirs[name].append(entry)
        heapify(self._ready)
        self._report = report
        self.running: set[str] = set()
        self.failed: dict[str, str] = {}
        self.blocked: dict[str, str] = {}

    @property
    def exhausted(self) -> bool:
        """Whether no chain will start any more."""
        return not self._ready and not self._heirs

    @property
    def outcome(self) -> Outcome:
        """What failed and what was blocked so far."""
        return Outcome(dict(self.failed), dict(self.blocked))

    def start(self) -> Chain | None:
        """Hand out the next chain, or None if nothing may start yet."""
        if not self._ready:
            return None
        *_, chain = heappop(self._ready)
        self.running.add(chain.name)
        return chain

    def end(self, name: str, cause: str | None) -> None:
        """Close a running chain, as done or, with a ``cause``, as failed."""
        self.running.remove(name)
        if cause is None:
            for heir in self._heirs.pop(name, ()):
                self._release(heir, name)
            self._report(Event(chain=name, kind="finished"))
        else:
            told = self._told(name, cause)
            self.failed[name] = told
            self._report(Event(chain=name, kind="failed", detail=told))
            self._block(name, name)

    def _told(self, name: str, cause: str) -> str:
        """Say which chain failed where ``cause`` is that a network of another chain is missing."""
        if not cause.startswith(MissingNetworkError.__name__):
            return cause
        for other in self._chains[name].waits_for:
            if other in self.failed:
                neighbour = self._chains[other]
                return (
                    f"measures wait for network {neighbour.network}, seed {neighbour.seed}, which "
                    f"failed: {self.failed[other]}; all else is done, run again once it works"
                )
        return cause

    def _release(self, heir: _Entry, name: str) -> None:
        waiting = self._waiting[heir[-1].name]
        waiting.remove(name)
        if not waiting and heir[-1].name not in self.blocked:
            heappush(self._ready, heir)

    def _block(self, name: str, failed: str) -> None:
        for entry in self._heirs.pop(name, ()):
            heir = entry[-1]
            if heir.waits_for[0] != name:
                self._release(entry, name)
                continue
            if heir.name in self.blocked:
                continue
            self.blocked[heir.name] = failed
            self._report(Event(chain=heir.name, kind="blocked", detail=failed))
            self._block(heir.name, failed)


def expected_epochs(chain: Chain) -> int:
    """Epochs of the whole chain, if nothing of it were committed: what its cost is judged by."""
    return epochs_each(chain) * len(chain.networks)


def _check(chains: Sequence[Chain], done: Collection[str]) -> None:
    known = {chain.name for chain in chains}.union(done)
    for chain in chains:
        for name in chain.waits_for:
            if name not in known:
                raise ValueError(f"{chain.name} waits for {name}, which is not in the plan")
