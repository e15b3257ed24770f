"""From the store of a sweep to its tables on robustness, one network in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from orchestrator.metrics.distortion_tests import alpha_intervals
from orchestrator.robustness.alpha_tests import alpha_test_rows
from orchestrator.robustness.columns import COLUMNS, NAME, Growing, Robustness, Row, typed
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.means import NAMES, PopulationMeans, over_seeds
from orchestrator.robustness.measured import measured
from orchestrator.robustness.membership import membership
from orchestrator.robustness.network import Digest, digest, iou_rows, outliers
from orchestrator.robustness.outputs import DENSE, Member, networks_by_size, outputs, populations
from orchestrator.robustness.population import (
    class_rows,
    corruption_rows,
    distortion_rows,
    exemplar_rows,
    pairs,
    shared,
)
from orchestrator.robustness.readings import reading_rows

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store

COMPUTED = frozenset({"alphas", "alpha_tests"})
"""Tables that are made of others."""
CLASSES = ("ece", "worst_recall", "recall_range", "recall_deviation")
"""Scores of a network that are no means over examples."""
Averaged = tuple[str, pd.DataFrame]
SERIES = ["network", "method", "schedule", "task"]


def robustness(plan: Plan, store: Store, confidence: float = 0.95) -> Robustness:
    """Compute the tables of what is committed of a sweep.

    In memory at a time are the outputs of one network, what the parents of one network predicted,
    what the seeds of one level predicted on the train distribution, and one number for each
    example, task and metric.

    Args:
        plan: of the sweep.
        store: its results; of a partial sweep, the tables are of what is there.
        confidence: of the intervals.

    Raises:
        DamagedObjectError: an object of the store does not match its checksum.

    """
    tables = _Tables(Conditions(plan), store, confidence)
    for population in populations(plan, store):
        tables.add(population)
    tables.growing["readings"].extend(reading_rows(plan, store))
    frames = {name: table.frame() for name, table in tables.growing.items()}
    for name, means in _students(frames, confidence):
        frames[name] = pd.concat([frames[name], means.astype(COLUMNS[name])], ignore_index=True)
    tested = alpha_test_rows(frames["recall_distortion"], networks_by_size(plan, store))
    frames["alpha_tests"] = typed("alpha_tests", tested)
    frames["alphas"] = _alphas(frames["recall_distortion"], tables.pooled, confidence)
    return Robustness(**frames)


class _Tables:
    """The tables while they grow, population by population."""

    def __init__(self, conditions: Conditions, store: Store, confidence: float) -> None:
        self.conditions, self.store, self.confidence = conditions, store, confidence
        self.growing = {name: Growing(name) for name in COLUMNS if name not in COMPUTED}
        self.pooled: list[Row] = []
        self._parents: dict[int, Digest] = {}

    def add(self, population: list[Member]) -> None:
        """Read every network of a population, and compare them with their parents."""
        dense, means = population[0].method == DENSE, PopulationMeans()
        found = [self._network(member, means, dense=dense) for member in population]
        if dense:
            self._parents = {one.member.seed: one for one in found}
        else:
            self._beside_parents(found)
        self._attack(found, means)
        for table in NAMES:
            rows = means.rows(table, shared(found), self.confidence)
            self.growing[table].extend(rows)

    def _network(self, member: Member, means: PopulationMeans, *, dense: bool) -> Digest:
        found = outputs(self.store, member, self.conditions.labels)
        parent = None if dense else self._parent(member)
        for one in measured(found, parent, self.conditions):
            self.growing["metrics"].extend([one.row(member)])
            means.add_task(one)
        means.end_network()
        for told in outliers(found, self.conditions):
            self.growing["outliers"].extend([told.row(member)])
            means.add("outlier_means", (told.task, told.score), {"auroc": told.auroc})
        self.growing["class_iou"].extend(iou_rows(member, found, self.conditions))
        return digest(member, found, self.conditions)

    def _attack(self, found: list[Digest], means: PopulationMeans) -> None:
        for one in membership(found, self.conditions):
            self.growing["membership"].extend([one.row()])
            accuracy, auroc = one.result.balanced_accuracy, one.result.auroc
            scores = {"balanced_accuracy": accuracy, "auroc": auroc}
            means.add("membership_means", (one.task, one.attack), scores)

    def _parent(self, member: Member) -> Digest | None:
        parent = self._parents.get(member.seed)
        return parent if parent and parent.member.network == member.network else None

    def _beside_parents(self, found: list[Digest]) -> None:
        parents = {one.member.seed: parent for one in found if (parent := self._parent(one.member))}
        for own in pairs(found, parents, self.conditions):
            side = self.conditions.distributions[own[0].task]
            rows, together = distortion_rows(own, side)
            self.growing["recall_distortion"].extend(rows)
            self.pooled.append(together)
            self.growing["classes"].extend(class_rows(own))
            self.growing["exemplars"].extend(exemplar_rows(own))
        for one in found:
            if one.member.seed in parents:
                parent = parents[one.member.seed]
                errors = corruption_rows(one, parent, self.conditions)
                self.growing["corruption_error"].extend(errors)


def _students(frames: Mapping[str, pd.DataFrame], confidence: float) -> Iterator[Averaged]:
    """Yield means over seeds of what is no mean over examples, by the table they belong to."""
    metrics = frames["metrics"]
    sides = metrics[metrics["distribution"] != "other"]
    by_network = sides.groupby([*NAME, "distribution"], sort=False, as_index=False)
    for table, frame, columns in (
        ("metric_means", metrics, CLASSES),
        ("distribution_means", by_network[list(CLASSES)].mean(), CLASSES),
        ("outlier_means", frames["outliers"], ("fpr95",)),
        ("membership_means", frames["membership"], ("tpr_at_low_fpr",)),
    ):
        yield table, over_seeds(frame, columns, confidence, NAMES[table], within=(0.0, 1.0))


def _alphas(distortion: pd.DataFrame, pooled: list[Row], confidence: float) -> pd.DataFrame:
    """Put the mean α over seeds beside the pooled one; intervals hold for all levels at once."""
    together = pd.DataFrame(pooled)
    rows: list[Row] = []
    for names, own in distortion.groupby(SERIES, sort=False):
        table = own.pivot(index="level", columns="seed", values="alpha").sort_index()
        found = alpha_intervals(table.to_numpy(dtype=np.float64), confidence)
        here = together[(together[SERIES] == list(names)).all(axis=1)].set_index("level")
        for place, level in enumerate(table.index):
            rows.append(
                here.loc[level].to_dict()
                | {
                    "level": level,
                    "alpha": found.mean[place],
                    "low": found.low[place],
                    "high": found.high[place],
                    "label": found.label[place],
                    "seeds": found.models[place],
                }
            )
    return typed("alphas", rows)
