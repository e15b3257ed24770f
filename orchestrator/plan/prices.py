"""What tasks and measures cost, against one pass over a network's own test images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
    from workers.contracts import MeasureCell

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

    @property
    def fitted(self) -> int:
        """Count the images that the networks are fitted to.

        Raises:
            DataError: they are not here.

        """
        holdout = DATA_SETS.create(self.data).holdout
        return round(self._count(self.data, "train") * (1 - holdout))

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
            return min(count, self.fitted) / self.images
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
    done = (store.tasks_of(index.evaluations.get(key, ())) for key in new)
    return [task for evaluated in done for task in plan.task_keys if task not in evaluated]


def missing_measures(chain: Chain, index: Index, seen: set[str]) -> list[MeasureCell]:
    """List the measures that ``chain`` lacks, but for those ``seen`` on an earlier chain.

    Chains with the same networks share their measures; this chain's are added to ``seen``.
    """
    missing = [
        cell for cell in chain.measures if cell.key not in index.networks and cell.key not in seen
    ]
    seen.update(cell.key for cell in missing)
    return missing


def measure_passes(measure: Component, subjects: int, images: int) -> float:
    """Count the forward passes of a measure on so many networks.

    A measure with an option ``images`` takes no more of them than there are.
    """
    plug_in = MEASURES.create(measure)
    if getattr(plug_in, "images", 0) > images:
        plug_in = replace(plug_in, **{"images": images})
    return plug_in.passes(subjects)


def measure_seconds(
    cells: Iterable[MeasureCell],
    subjects: int,
    *,
    took: Mapping[str, float],
    cell_seconds: float,
    prices: Prices,
) -> float:
    """Estimate what the measures ``cells`` take on so many networks.

    As long for every network as the measure ``took`` on other chains, or else what its passes take
    at the speed of predictions.
    """
    seconds = 0.0
    for cell in cells:
        if cell.label in took:
            seconds += took[cell.label] * subjects
        else:
            passes = measure_passes(cell.measure, subjects, prices.images)
            seconds += passes * cell_seconds / prices.images
    return seconds


def measures_took(plan: Plan, network: str, store: Store, index: Index) -> dict[str, float]:
    """Average, by label, the seconds for a network that the committed measures took."""
    keys = {
        cell.key: cell.label
        for chain in plan.chains
        if chain.network == network
        for cell in chain.measures
        if cell.key in index.networks
    }
    took = defaultdict(list)
    for key, label in sorted(keys.items()):
        record = store.record(key)
        took[label].append(record["seconds"] / len(record["subjects"]))
    return {label: mean(seconds) for label, seconds in took.items()}
