"""What tasks and measures cost, against one pass over a network's own test images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from workers.contracts import Chain, Component, DataError, Split, Task
from workers.registry import DATA_SETS, MEASURES, TASKS

if TYPE_CHECKING:
    from orchestrator.plan.plan import Plan
    from orchestrator.plan.state import ChainState
    from orchestrator.store import Index, Store

UNKNOWN = 1.0
"""The weight of a task that an evaluation of another sweep predicted too."""


@dataclass(frozen=True)
class Prices:
    """The tasks of a plan for networks on one data set.

    Data are only counted where a task brings images of its own, or where a measure is priced.
    """

    plan: Plan
    data: Component

    @cached_property
    def images(self) -> int:
        """Count the test images of the networks' own data.

        Raises:
            DataError: they are not here.

        """
        return self._count(self.data, "test")

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """Map task keys to how many images are predicted, the test images being 1."""
        return {cell.key: self._share(TASKS.create(cell.task)) for cell in self.plan.tasks}

    @cached_property
    def passes(self) -> Mapping[str, float]:
        """Map task keys to forward passes, one over the test images being 1."""
        cells = self.plan.tasks
        return {one.key: self.shares[one.key] * TASKS.create(one.task).passes for one in cells}

    def seconds_each(self, tasks: Iterable[str], seconds: float) -> float:
        """Say what one pass took, if ``tasks`` took so many seconds."""
        return seconds / sum(self.passes.get(task, UNKNOWN) for task in tasks)

    def bytes_each(self, tasks: Iterable[str], size: int) -> float:
        """Say what the predictions on the test images take, if those on ``tasks`` take so much."""
        return size / sum(self.shares.get(task, UNKNOWN) for task in tasks)

    def _share(self, task: Task) -> float:
        if count := task.members():
            holdout = DATA_SETS.create(self.data).holdout
            fitted = round(self._count(self.data, "train") * (1 - holdout))
            return min(count, fitted) / self.images
        if other := task.replaces():
            return self._count(other, "test") / self.images
        return 1.0

    def _count(self, data: Component, split: Split) -> int:
        data_set, root = DATA_SETS.create(data), Path(self.plan.spec.data_root)
        if not data_set.available(root):
            raise DataError(f"the data of {data.name} are not here yet; a run downloads them")
        return data_set.count(split, root)


def missing_cells(
    plan: Plan, state: ChainState, store: Store, index: Index, seen: set[str]
) -> list[str]:
    """List the tasks that the networks of a chain lack, a task once for every network.

    Args:
        plan: of the tasks.
        state: of the chain.
        store: that is looked at where only some cells are there.
        index: its listing.
        seen: networks of earlier chains, which are counted there; this chain's are added.

    """
    new = [key for key in dict.fromkeys(state.chain.networks) if key not in seen]
    seen.update(new)
    if state.tally.cells == state.tally.cells_cached:
        return []
    if not state.tally.cells_cached:
        return list(plan.task_keys) * len(new)
    done = (store.evaluated(key) if index.evaluations.get(key) else frozenset() for key in new)
    return [task for evaluated in done for task in plan.task_keys if task not in evaluated]


def measure_seconds(
    plan: Plan, chain: Chain, store: Store, index: Index, *, cell_seconds: float, prices: Prices
) -> float:
    """Estimate what the missing measures of ``chain`` take.

    As long for every network as the same measure took on other chains of the same networks, or else
    what its passes take at the speed of predictions.
    """
    seconds = 0.0
    for cell in chain.measures:
        if cell.key in index.networks:
            continue
        took = _took(plan, chain, cell.label, store, index)
        if took:
            seconds += mean(took) * len(chain.subjects)
        else:
            passes = MEASURES.create(cell.measure).passes(len(chain.subjects))
            seconds += passes * cell_seconds / prices.images
    return seconds


def _took(plan: Plan, chain: Chain, label: str, store: Store, index: Index) -> list[float]:
    """List the seconds for a network that a measure took where it is committed."""
    keys = {
        cell.key
        for one in plan.chains
        if one.network == chain.network
        for cell in one.measures
        if cell.label == label and cell.key in index.networks
    }
    records = (store.record(key) for key in sorted(keys))
    return [record["seconds"] / len(record["subjects"]) for record in records]
