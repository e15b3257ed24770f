"""Means over seeds, with intervals that a few seeds allow."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import pandas as pd

from orchestrator.metrics.t_tests import mean_interval
from orchestrator.robustness.columns import POPULATION

EDGE = 1e-12
KEYS = [column for column in POPULATION if column != "ratio"]


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
