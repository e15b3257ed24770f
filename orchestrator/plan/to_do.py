"""What every chain lacks, in units that a run can count, each with its weight.

The weights are those of the estimate, in forward passes of one image, so that nothing has to be
timed before a run; the run itself finds out how long a pass takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from orchestrator.plan.prices import Prices, measure_passes, missing_cells, missing_measures
from workers.contracts import GRADIENT_PASSES

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan
    from orchestrator.plan.state import ChainState, State
    from orchestrator.store import Index, Store
    from workers.contracts import Chain, MeasureCell

Kind = Literal["epochs", "networks", "cells", "measures"]
KINDS: tuple[Kind, ...] = ("networks", "epochs", "cells", "measures")
EPOCH_PASSES = 1 + GRADIENT_PASSES
NETWORK_PASSES = 5_000.0
"""To prune a network and to commit it: 2,600 to 11,000 for small residual networks on a CPU."""
USUAL_IMAGES = (50_000, 10_000)
"""Training and test images of data that cannot be counted yet."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """A unit of one ``kind`` of work on a ``network``, and what it weighs in ``passes``.

    ``label`` is that of a measure, and empty for the other kinds.
    """

    kind: Kind
    network: str
    passes: float
    label: str = ""


def to_do(plan: Plan, state: State, store: Store) -> dict[str, dict[Work, int]]:
    """Count what is missing of the pending chains; what they share counts for the first alone."""
    index = store.index()
    weights: dict[str, _Weights] = {}
    seen: set[str] = set()
    found = {}
    for one in state.chains:
        chain = one.chain
        if chain.network not in weights:
            weights[chain.network] = _weights(plan, chain)
        works = dict(_works(plan, one, store, index, weights[chain.network], seen))
        if not one.complete:
            found[chain.name] = works
    return found


@dataclass(frozen=True)
class _Weights:
    """How many images a network is fitted to and tested on, and the passes of every task."""

    train: float
    test: float
    tasks: Mapping[str, float]


def _weights(plan: Plan, chain: Chain) -> _Weights:
    prices = Prices(plan, chain.data)
    try:
        return _Weights(prices.fitted, prices.images, prices.passes)
    except Exception:  # yet to be downloaded, or somebody's own data: the run will tell
        return _Weights(*USUAL_IMAGES, dict.fromkeys(plan.task_keys, 1.0))


def _works(
    plan: Plan, state: ChainState, store: Store, index: Index, weights: _Weights, seen: set[str]
) -> Iterator[tuple[Work, int]]:
    work, tally = partial(Work, network=state.chain.network), state.tally
    if epochs := tally.missing("epochs"):
        yield work(kind="epochs", passes=EPOCH_PASSES * weights.train), epochs
    if networks := tally.missing("networks"):
        yield work(kind="networks", passes=NETWORK_PASSES), networks
    if cells := missing_cells(plan, state, store, index, seen):
        each = weights.test * sum(weights.tasks[cell] for cell in cells) / len(cells)
        yield work(kind="cells", passes=each), len(cells)
    for cell in missing_measures(state.chain, index, seen):
        each = _measure_weight(cell, state.chain, weights)
        yield work(kind="measures", passes=each, label=cell.label), 1


def _measure_weight(cell: MeasureCell, chain: Chain, weights: _Weights) -> float:
    try:
        return max(measure_passes(cell.measure, len(chain.subjects), int(weights.test)), 1.0)
    except Exception:  # it does not say what it costs; a pass over the test images, then
        return weights.test * len(chain.subjects)
