from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.analysis import AnalysisOptions, Results, analyse
from orchestrator.analysis.excess import excess_error, parent_slopes

OPTIONS = AnalysisOptions(resamples=200)


def test_the_excess_error_of_a_pruned_network(table: Any) -> None:
    # shift costs the parent (20 + 30) / 2 - 10 = 15 points and the pruned network 32 - 11 = 21
    cells = table(
        {"nominal": {7: [10, 11]}, "fog": {7: [20, 24]}, "jpeg": {7: [30, 40]}}, [0.8], 100
    )
    row = analyse(cells, OPTIONS).excess.iloc[0]
    assert row.to_dict() == pytest.approx(
        {"network": "net", "method": "wt", "schedule": "cascade", "seed": 7, "level": 1}
        | {"ratio": 0.8, "excess": 0.06},
    )


def test_the_slope_is_least_squares_through_the_origin_over_all_parents_and_levels(
    table: Any,
) -> None:
    errors = {"nominal": {0: [0, 0, 0], 1: [0, 0, 0]}, "fog": {0: [0, 1, 4], 1: [0, 3, None]}}
    found = analyse(table(errors, [0.5, 0.8], 100), OPTIONS)
    x, y = np.array([0.5, 0.8, 0.5]), np.array([0.01, 0.04, 0.03])
    slope = found.slopes.iloc[0]
    assert slope["slope"] == pytest.approx((x * y).sum() / (x**2).sum())
    assert (slope["parents"], slope["points"]) == (2, 3)
    oracle = np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]
    assert slope["slope"] == pytest.approx(oracle)


def test_the_band_is_the_interval_of_the_slope_times_the_ratio(table: Any) -> None:
    errors = {"nominal": {s: [5, 5] for s in range(3)}, "fog": {s: [9, 12 + s] for s in range(3)}}
    found = analyse(table(errors, [0.8], 100), OPTIONS)
    slope = found.slopes.iloc[0]
    assert len(found.bands) == 100
    np.testing.assert_allclose(found.bands["ratio"], np.linspace(0, 1, 100))
    for name, value in {"excess": "slope", "low": "low", "high": "high"}.items():
        np.testing.assert_allclose(found.bands[name], found.bands["ratio"] * slope[value])


def test_no_excess_where_a_task_is_missing(table: Any) -> None:
    errors = {"nominal": {0: [1, 2, 3], 1: [1, 2, 3]}, "fog": {0: [1, None, 3], 1: [None, 2, 3]}}
    found = analyse(table(errors, [0.5, 0.8], 100), OPTIONS).excess
    assert found[["seed", "level"]].to_numpy().tolist() == [[0, 2]]


@pytest.mark.parametrize("task", ["nominal", "fog"])
def test_no_excess_without_both_distributions(table: Any, task: str) -> None:
    found = analyse(table({task: {0: [1, 2]}}, [0.5], 100), OPTIONS)
    assert found.excess.empty
    assert found.slopes.empty
    assert found.bands.empty


@settings(max_examples=25)
@given(
    errors=st.lists(st.integers(0, 60), min_size=3, max_size=3),
    parents=st.integers(1, 4),
    levels=st.integers(1, 4),
)
def test_networks_that_equal_their_parents(
    table: Any, errors: list[int], parents: int, levels: int
) -> None:
    ratios = np.linspace(0.3, 0.95, levels)
    tasks = ("nominal", "fog", "jpeg")
    same = {
        t: dict.fromkeys(range(parents), [e] * (levels + 1))
        for t, e in zip(tasks, errors, strict=True)
    }
    found: Results = analyse(table(same, ratios, 60), OPTIONS)
    assert set(found.excess["excess"]) == {0.0}
    assert found.slopes[["slope", "low", "high"]].to_numpy().tolist() == [[0.0, 0.0, 0.0]]
    assert set(found.by_parent["potential"]) == {ratios[-1]}


def test_the_pooled_slope_weighs_parents_by_their_squared_ratios() -> None:
    ratios = np.array([[0.5, 0.4], [0.8, 0.9], [0.9, np.nan]])
    excess = np.array([[0.01, 0.02], [0.03, 0.01], [0.05, np.nan]])
    slopes, weights = parent_slopes(excess, ratios)
    assert weights == pytest.approx([0.25 + 0.64 + 0.81, 0.16 + 0.81])
    assert slopes == pytest.approx([0.074 / 1.7, 0.017 / 0.97])
    there = ~np.isnan(excess)
    x, y = ratios[there], excess[there]
    assert np.average(slopes, weights=weights) == pytest.approx(x @ y / (x @ x))


def test_excess_error_broadcasts_over_resamples() -> None:
    errors = np.random.default_rng(0).random((5, 3, 4, 2))
    shifted = np.array([True, False, True])
    each = [excess_error(e, shifted) for e in errors]
    np.testing.assert_allclose(excess_error(errors, shifted), each)
