"""Means over seeds, with intervals that a few seeds allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf

import numpy as np
import pandas as pd

from orchestrator.analysis.estimates import Estimate
from orchestrator.analysis.intervals import EDGE
from orchestrator.metrics.intervals import MeanOverSeeds, student_intervals, wilson_intervals
from orchestrator.metrics.scores import Average, Score
from orchestrator.metrics.t_tests import mean_interval
from orchestrator.robustness.columns import POPULATION, Row
from orchestrator.robustness.measured import Measured

KEYS = [column for column in POPULATION if column != "ratio"]
NAMES = {
    "metric_means": ("task", "distribution"),
    "distribution_means": ("distribution",),
    "outlier_means": ("task", "score"),
    "membership_means": ("task", "attack"),
}
"""Columns that tell the rows of one population and metric apart, by table."""
POSSIBLE = {"nll": (0.0, inf), "brier": (0.0, 2.0)}
"""What means can be that are no shares."""


class PopulationMeans:
    """Means over the seeds of one population, whose networks come one by one."""

    def __init__(self) -> None:
        """Begin without a network."""
        self._found: dict[str, dict[tuple[tuple[str, ...], str], MeanOverSeeds]] = {
            table: {} for table in NAMES
        }
        self._sides: dict[tuple[str, str], Average] = {}

    def add(self, table: str, names: tuple[str, ...], means: Mapping[str, Score]) -> None:
        """Add metrics of one network.

        Args:
            table: one of ``NAMES``.
            names: values of its columns.
            means: by metric.

        """
        for metric, score in means.items():
            self._found[table].setdefault((names, metric), MeanOverSeeds()).add(score)

    def add_task(self, one: Measured) -> None:
        """Add what a network has on one task, of its own and towards that of the distribution."""
        self.add("metric_means", (one.task, one.distribution), one.means)
        if one.distribution != "other":
            for metric, score in one.means.items():
                self._sides.setdefault((one.distribution, metric), Average()).add(score)

    def end_network(self) -> None:
        """Add the means over the tasks of each distribution, now that all tasks are there."""
        for (side, metric), average in self._sides.items():
            if score := average.score():
                self.add("distribution_means", (side,), {metric: score})
        self._sides = {}

    def rows(self, table: str, shared: Row, confidence: float) -> Iterator[Row]:
        """Yield a row for each metric that a seed has a value of.

        Args:
            table: one of ``NAMES``.
            shared: the columns of the population.
            confidence: of the intervals.

        """
        alike: dict[tuple[float, float] | None, list[tuple[Row, MeanOverSeeds]]] = {}
        for (names, metric), found in self._found[table].items():
            if found.seeds:
                told = {**dict(zip(NAMES[table], names, strict=True)), "metric": metric}
                alike.setdefault(POSSIBLE.get(metric), []).append((told, found))
        for possible, rows in alike.items():
            means = [found for _, found in rows]
            for (row, found), one in zip(
                rows, _intervals(means, confidence, possible), strict=True
            ):
                limits = {"mean": one.value, "low": one.low, "high": one.high}
                yield {**shared, **row, **limits, "seeds": found.seeds}


def _intervals(
    means: Sequence[MeanOverSeeds], confidence: float, possible: tuple[float, float] | None
) -> Sequence[Estimate]:
    if possible:
        return student_intervals(means, confidence, *possible)
    return wilson_intervals(means, confidence)


def over_seeds(
    frame: pd.DataFrame,
    values: Sequence[str],
    confidence: float,
    keys: Sequence[str] = (),
    within: tuple[float, float] = (-inf, inf),
) -> pd.DataFrame:
    """Average columns over the seeds of each population, one row per column.

    Student's interval over the seeds that have a value. It says how another seed would do on the
    same test images, and nothing about other images. One seed has none, nor have seeds that do not
    differ at all.

    Args:
        frame: a table with the columns network, method, schedule, level, ratio and seed.
        values: the columns to average.
        confidence: of the interval.
        keys: columns besides, that tell rows of one network apart.
        within: what the values can be, where intervals are cut.

    Returns:
        The population's columns with the mean ratio, ``keys``, metric, mean, low, high, seeds;
        without rows that no seed has a value for.

    """
    by = [*KEYS, *keys]
    columns = [*POPULATION, *keys, "metric", "mean", "low", "high", "seeds"]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    ratios = frame.groupby(by, sort=False, dropna=False)["ratio"].mean()
    group = frame.groupby(by, sort=False, dropna=False).ngroup().to_numpy()
    place = frame.groupby(group).cumcount().to_numpy()
    parts = []
    for metric in values:
        table = np.full((len(ratios), place.max() + 1), np.nan)
        table[group, place] = frame[metric].to_numpy(dtype=np.float64)
        mean, low, high = mean_interval(table, confidence)
        differ = high - low > EDGE
        low = np.where(differ, np.maximum(low, within[0]), np.nan)
        high = np.where(differ, np.minimum(high, within[1]), np.nan)
        seeds = (~np.isnan(table)).sum(axis=1)
        part = ratios.reset_index().assign(
            metric=metric, mean=mean, low=low, high=high, seeds=seeds
        )
        parts.append(part[part["seeds"] > 0])
    return pd.concat(parts, ignore_index=True)[columns]
