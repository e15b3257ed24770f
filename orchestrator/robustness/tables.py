"""From the store of a sweep to its tables on robustness, one network in memory at a time."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from orchestrator.metrics.distortion_tests import alpha_intervals
from orchestrator.robustness.alpha_tests import alpha_test_rows
from orchestrator.robustness.columns import COLUMNS, SCORES, Growing, Robustness, Row, typed
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.means import over_seeds
from orchestrator.robustness.membership import membership_rows
from orchestrator.robustness.network import Digest, digest, iou_rows, metrics, outlier_rows
from orchestrator.robustness.outputs import DENSE, Member, outputs, populations
from orchestrator.robustness.population import (
    class_rows,
    corruption_rows,
    distortion_rows,
    exemplar_rows,
    pairs,
)
from orchestrator.robustness.readings import reading_rows

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store

COMPUTED = frozenset({"metric_means", "alphas", "alpha_tests"})
"""Tables that are made of others."""
UNBOUNDED = ("nll", "brier")
SERIES = ["network", "method", "schedule", "task"]


def robustness(plan: Plan, store: Store, confidence: float = 0.95) -> Robustness:
    """Compute the tables of what is committed of a sweep.

    In memory at a time are the outputs of one network, what the parents of one network predicted
    and what the seeds of one level predicted on the train distribution.

    Args:
        plan: of the sweep.
        store: its results; of a partial sweep, the tables are of what is there.
        confidence: of the intervals.

    Raises:
        DamagedObjectError: an object of the store does not match its checksum.

    """
    tables = _Tables(Conditions(plan), store)
    for population in populations(plan, store):
        tables.add(population)
    tables.growing["readings"].extend(reading_rows(plan, store))
    frames = {name: table.frame() for name, table in tables.growing.items()}
    frames["metric_means"] = _means(frames["metrics"], confidence)
    frames["alpha_tests"] = typed("alpha_tests", alpha_test_rows(frames["recall_distortion"]))
    frames["alphas"] = _alphas(frames["recall_distortion"], tables.pooled, confidence)
    return Robustness(**frames)


class _Tables:
    """The tables while they grow, population by population."""

    def __init__(self, conditions: Conditions, store: Store) -> None:
        self.conditions, self.store = conditions, store
        self.growing = {name: Growing(name) for name in COLUMNS if name not in COMPUTED}
        self.pooled: list[Row] = []
        self._parents: dict[int, Digest] = {}

    def add(self, population: list[Member]) -> None:
        """Read every network of a population, and compare them with their parents."""
        dense = population[0].method == DENSE
        found = [self._network(member, dense=dense) for member in population]
        if dense:
            self._parents = {one.member.seed: one for one in found}
        else:
            self._beside_parents(found)
        self.growing["membership"].extend(membership_rows(found, self.conditions))

    def _network(self, member: Member, *, dense: bool) -> Digest:
        found = outputs(self.store, member, self.conditions.labels)
        parent = None if dense else self._parent(member)
        self.growing["metrics"].extend(metrics(member, found, parent, self.conditions))
        self.growing["outliers"].extend(outlier_rows(member, found, self.conditions))
        self.growing["class_iou"].extend(iou_rows(member, found, self.conditions))
        return digest(member, found, self.conditions)

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


def _means(metrics: pd.DataFrame, confidence: float) -> pd.DataFrame:
    keys = ["task", "distribution"]
    fractions = [score for score in SCORES if score not in UNBOUNDED]
    parts = [
        over_seeds(metrics, fractions, confidence, keys, within=(0, 1)),
        over_seeds(metrics, UNBOUNDED, confidence, keys, within=(0, inf)),
    ]
    rows = [part for part in parts if len(part)] or parts[:1]
    columns = COLUMNS["metric_means"]
    return pd.concat(rows, ignore_index=True)[list(columns)].astype(columns)


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
