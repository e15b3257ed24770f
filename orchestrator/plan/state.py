"""What of a plan the store already holds, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.plan.work import epochs_each
from workers.contracts import Chain, Checkpoint, suite_key

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan
    from orchestrator.store import Store


@dataclass(kw_only=True)
class Tally:
    """Networks, cells, measures and epochs: how many there are, and how many are committed."""

    networks: int = 0
    networks_cached: int = 0
    cells: int = 0
    cells_cached: int = 0
    measures: int = 0
    measures_cached: int = 0
    epochs: int = 0
    epochs_cached: int = 0

    def of(self, kind: str) -> tuple[int, int]:
        """Return how many of ``kind`` there are, and how many are committed."""
        return getattr(self, kind), getattr(self, f"{kind}_cached")

    def missing(self, kind: str) -> int:
        """Return how many of ``kind`` are not committed."""
        everything, cached = self.of(kind)
        return everything - cached

    def add(self, other: Tally) -> None:
        """Add ``other`` to this tally."""
        self.networks += other.networks
        self.networks_cached += other.networks_cached
        self.cells += other.cells
        self.cells_cached += other.cells_cached
        self.measures += other.measures
        self.measures_cached += other.measures_cached
        self.epochs += other.epochs
        self.epochs_cached += other.epochs_cached


@dataclass(frozen=True, kw_only=True)
class ChainState:
    """One chain; what an earlier chain makes too is tallied there, and only there.

    ``lacking`` are the checkpoints that are not committed. They are no networks of the tally, and
    cost no epochs, since the parent's training passes through them; but if the parent itself is
    committed, each of them is trained anew.
    """

    chain: Chain
    complete: bool
    tally: Tally
    lacking: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True)
class State:
    """The state of every chain of a plan, in its order."""

    chains: tuple[ChainState, ...]
    total: Tally = field(repr=False)

    @property
    def pending(self) -> tuple[Chain, ...]:
        """Chains with something missing."""
        return tuple(state.chain for state in self.chains if not state.complete)

    @property
    def done(self) -> frozenset[str]:
        """Names of the chains with nothing missing."""
        return frozenset(state.chain.name for state in self.chains if state.complete)


def compare(plan: Plan, store: Store) -> State:
    """Look up everything that ``plan`` asks for in one listing of ``store``."""
    index = store.index()
    wanted = frozenset(plan.task_keys)
    whole = suite_key(wanted)
    seen: set[str] = set()
    total = Tally()
    states = []
    for chain in plan.chains:
        lacking = tuple(one for one in chain.checkpoints if one.key not in index.networks)
        again = sum(one.epoch for one in lacking)
        tally, complete, epochs = Tally(), not lacking, epochs_each(chain)
        for key in chain.networks:
            cached = key in index.networks
            cells = _cells(store, index.evaluations.get(key, ()), key, wanted, whole)
            complete = complete and cached and cells == len(wanted)
            if key not in seen:
                seen.add(key)
                tally.networks += 1
                tally.networks_cached += cached
                tally.cells += len(wanted)
                tally.cells_cached += cells
                tally.epochs += epochs + again * cached
                tally.epochs_cached += epochs * cached
        complete = complete and all(one.key in index.networks for one in chain.measures)
        own = {one.key for one in chain.measures} - seen
        seen |= own
        tally.measures = len(own)
        tally.measures_cached = len(own & index.networks)
        total.add(tally)
        states.append(ChainState(chain=chain, complete=complete, tally=tally, lacking=lacking))
    return State(tuple(states), total)


def _cells(
    store: Store, evaluations: Sequence[str], network: str, wanted: frozenset[str], whole: str
) -> int:
    if not evaluations:
        return 0
    if f"{network}-{whole}" in evaluations:
        return len(wanted)
    return len(wanted & store.tasks_of(evaluations))
