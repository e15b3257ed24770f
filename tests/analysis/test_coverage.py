"""Simulated sweeps with known truth: how often do the intervals hold it?

A network errs on an example where a sum of normal terms exceeds 0: the difficulty of level and
task, that of the example (shared by all networks), the parent's seed, how well that parent takes
pruning, and noise shared within a parent or not. The variances of the terms of one example sum to
1, so that the expected error is a normal distribution function: the truth about accuracy and slope
is exact. That about a potential is its expectation on a test set of this size: its mean over the
simulated sweeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from orchestrator.analysis import AnalysisOptions, analyse

RATIOS = np.array([0.0, 0.5, 0.7, 0.8, 0.9, 0.95])
ERRORS = {
    "nominal": [0.080, 0.075, 0.078, 0.082, 0.092, 0.130],
    "blur-3": [0.200, 0.196, 0.200, 0.208, 0.230, 0.290],
    "jpeg-3": [0.150, 0.146, 0.151, 0.156, 0.175, 0.230],
    "noise-3": [0.350, 0.352, 0.362, 0.380, 0.420, 0.500],
}
EXAMPLE, EXAMPLE_AND_TASK, PARENT, PARENT_AND_TASK = 0.75, 0.30, 0.45, 0.25
NOISE = np.sqrt(1 - EXAMPLE**2 - EXAMPLE_AND_TASK**2 - PARENT**2 - PARENT_AND_TASK**2)


@dataclass(frozen=True)
class Parents:
    """Standard deviations between parents, in probits: 0.05 is 1.4 points at 20 % error."""

    seed: float
    level: float

    def variance(self, task: str, level: int) -> float:
        """Variance between parents of the probit of a cell."""
        own = 1.5 * self.seed**2
        return own + (self.level**2 + self.taking(task, level) ** 2 if level else 0.0)

    def taking(self, task: str, level: int) -> float:
        """How far parents differ in taking pruning, more so under shift."""
        return 1.5 * self.level * float(RATIOS[level]) * (1 if task == "nominal" else 2)

    def accuracy(self, task: str, level: int) -> float:
        """Expected accuracy of a cell."""
        probit = norm.ppf(ERRORS[task][level]) / np.sqrt(1 + self.variance(task, level))
        return float(norm.cdf(-probit))

    def slope(self) -> float:
        """Expected slope of the excess error."""
        e = {task: np.array([1 - self.accuracy(task, k) for k in range(6)]) for task in ERRORS}
        gained = {task: errors - errors[0] for task, errors in e.items()}
        shifted = np.mean([gained[task] for task in ERRORS if task != "nominal"], axis=0)
        return float((shifted - gained["nominal"]) @ RATIOS / (RATIOS @ RATIOS))


TYPICAL = Parents(seed=0.05, level=0.03)
ALIKE = Parents(seed=0.02, level=0.01)


def simulated(
    rng: np.random.Generator, network: str, kind: Parents, parents: int, examples: int
) -> Iterator[tuple[Any, ...]]:
    """Cells of one sweep of one method."""
    common = rng.normal(size=examples) * EXAMPLE
    by_task = {task: rng.normal(size=examples) * EXAMPLE_AND_TASK for task in ERRORS}
    for seed in range(parents):
        own = rng.normal(size=examples) * PARENT
        quality, takes = rng.normal(size=2)
        wobble = rng.normal(size=6) * kind.level
        for task, errors in ERRORS.items():
            known = common + by_task[task] + own + rng.normal(size=examples) * PARENT_AND_TASK
            known += kind.seed * (quality + np.sqrt(0.5) * rng.normal())
            for level, error in enumerate(errors):
                pruning = (wobble[level] + takes * kind.taking(task, level)) if level else 0.0
                latent = norm.ppf(error) + known + pruning + rng.normal(size=examples) * NOISE
                name = ("wt", "cascade") if level else ("dense", "")
                side = "train" if task == "nominal" else "test"
                yield network, seed, *name, level, RATIOS[level], task, side, latent <= 0


COLUMNS = [
    "network", "seed", "method", "schedule", "level", "achieved_ratio", "task", "distribution",
    "correct",
]  # fmt: skip


def percentile_of_parents(slopes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The 95 % percentile bootstrap over parents alone, from all of its resamples."""
    means = [np.mean(drawn) for drawn in product(slopes, repeat=len(slopes))]
    return np.quantile(means, [0.025, 0.975])


@cache
def coverage(
    parents: int, examples: int, sweeps: int, kind: Parents = TYPICAL, resamples: int = 300
) -> dict[str, float]:
    """Share of the nominal 95 % intervals that hold the truth."""
    rng = np.random.default_rng([parents, examples, sweeps])
    held: dict[str, list[float]] = {"accuracy": [], "slope": [], "percentile": []}
    found: dict[str, list[Any]] = {}
    for sweep in range(sweeps):
        cells = pd.DataFrame(list(simulated(rng, "net", kind, parents, examples)), columns=COLUMNS)
        results = analyse(cells, AnalysisOptions(resamples=resamples, seed=sweep))
        truth = [kind.accuracy(c.task, c.level) for c in results.curves.itertuples()]
        held["accuracy"].append(
            results.curves["low"].le(truth).mul(results.curves["high"] >= truth).mean()
        )
        slope = results.slopes.iloc[0]
        held["slope"].append(slope["low"] <= kind.slope() <= slope["high"])
        if parents == 3:
            points = results.excess.assign(xy=results.excess["ratio"] * results.excess["excess"])
            low, high = percentile_of_parents(
                points.groupby("seed")["xy"].sum() / (RATIOS @ RATIOS)
            )
            held["percentile"].append(low <= kind.slope() <= high)
        for row in results.potentials.query("rule == 'any'").itertuples():
            found.setdefault(f"potential {row.task}", []).append((row.potential, row.low, row.high))
        for row in results.summary.query("rule == 'any' and distribution == 'test'").itertuples():
            name = f"potential {row.statistic}"
            found.setdefault(name, []).append((row.potential, row.low, row.high))
    shares = {name: float(np.mean(values)) for name, values in held.items() if values}
    for name, rows in found.items():
        potential, low, high = np.transpose(rows)
        shares[name] = float(np.mean((low <= potential.mean()) & (potential.mean() <= high)))
    return shares


def test_the_simulation_knows_its_truth() -> None:
    rng = np.random.default_rng(0)
    cells = pd.DataFrame(list(simulated(rng, "net", TYPICAL, 400, 500)), columns=COLUMNS)
    accuracy = cells["correct"].map(np.mean).groupby([cells["task"], cells["level"]]).mean()
    for (task, level), value in accuracy.items():
        assert value == pytest.approx(TYPICAL.accuracy(task, level), abs=0.05)
    results = analyse(cells, AnalysisOptions(resamples=10))
    assert results.slopes["slope"].item() == pytest.approx(TYPICAL.slope(), abs=0.01)


def test_three_parents_fast() -> None:
    shares = coverage(parents=3, examples=300, sweeps=60, resamples=200)
    assert shares["accuracy"] >= 0.92
    assert shares["slope"] >= 0.92
    assert shares["potential mean"] >= 0.88


@pytest.mark.slow
@pytest.mark.parametrize("parents", [3, 5, 10])
def test_coverage_is_at_most_two_points_below_nominal(parents: int) -> None:
    """Of 95 %; for potentials four, since they are lumpy. 300 sweeps measure it to 1.3 points."""
    shares = coverage(parents=parents, examples=500, sweeps=300)
    assert shares["accuracy"] >= 0.93
    assert shares["slope"] >= 0.93
    for name in shares.keys() - {"percentile"}:
        assert shares[name] >= 0.91, name


@pytest.mark.slow
def test_coverage_where_the_parents_differ_more_than_the_test_set_matters() -> None:
    shares = coverage(parents=3, examples=4000, sweeps=150)
    assert shares["accuracy"] >= 0.93
    assert shares["slope"] >= 0.93
    assert shares["potential mean"] >= 0.87


@pytest.mark.slow
def test_the_percentile_bootstrap_of_three_parents_is_too_narrow() -> None:
    assert coverage(parents=3, examples=500, sweeps=300)["percentile"] < 0.75
