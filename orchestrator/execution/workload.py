"""The work of the pending chains: how much there is of each kind, and how much of it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from orchestrator.execution.entry import Entry
from orchestrator.plan.to_do import Kind, Work


class Workload:
    """Sums over all chains, kept up to date entry by entry.

    Attributes:
        done: how much of each kind is done.
        total: how much of each kind there is.
        made: how much of each work is done.
        rest: how much of each work is left.

    """

    def __init__(self, to_do: Mapping[str, Mapping[Work, int]]) -> None:
        """Expect ``to_do``: how much of which work each chain lacks."""
        self.done: Counter[Kind] = Counter()
        self.total: Counter[Kind] = Counter()
        self.made: Counter[Work] = Counter()
        self.rest: Counter[Work] = Counter()
        self._entries = {
            name: [Entry(*one) for one in works.items()] for name, works in to_do.items()
        }
        for name in to_do:
            self._add(name, 1)

    def of(self, chain: str) -> list[Entry]:
        """Return the entries of ``chain``."""
        return self._entries[chain]

    def left_of(self, chain: str) -> Iterator[tuple[Work, int]]:
        """Yield how much of each work ``chain`` has left to do."""
        return ((one.work, one.count - one.done) for one in self._entries[chain])

    @contextmanager
    def changing(self, chain: str) -> Iterator[list[Entry]]:
        """Let the entries of ``chain`` change, and sum up again."""
        self._add(chain, -1)
        yield self._entries[chain]
        self._add(chain, 1)

    def _add(self, chain: str, sign: int) -> None:
        for entry in self._entries[chain]:
            done, count, kind = entry.done, entry.count, entry.work.kind
            self.done[kind] += sign * done
            self.total[kind] += sign * count
            self.made[entry.work] += sign * done
            self.rest[entry.work] += sign * (count - done)
