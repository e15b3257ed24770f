from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from orchestrator.analysis import AnalysisOptions, analyse
from orchestrator.analysis.potential import allowed_errors, next_ratio, prune_potential

T2 = stats.t.ppf(0.975, 2)
LADDER = (0.5, 0.7, 0.9)


def column(values: list[float]) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=float)[:, None]


@pytest.mark.parametrize(
    ("delta", "examples", "errors"),
    [
        (0.005, 200, 1),
        (0.005, 199, 0),
        (0.005, 10_000, 50),
        (0.29, 100, 29),  # 28.999999999999996 in floating point
        (0.07, 100, 7),  # 7.000000000000001 in floating point
        (0.0, 700, 0),
        (-0.01, 150, -2),
        (1e-05, 100_000, 1),
    ],
)
def test_the_margin_is_counted_in_whole_errors(delta: float, examples: int, errors: int) -> None:
    assert allowed_errors(delta, examples) == errors


@pytest.mark.parametrize(
    ("gained", "any_level", "contiguous"),
    [
        ([0, 1, 2], 0.7, 0.7),
        ([2, 1, 1], 0.9, 0.0),
        ([0, 2, 1], 0.9, 0.5),
        ([-5, 1, 9], 0.7, 0.7),
        ([2, 2, 2], 0.0, 0.0),
        ([1, np.nan, 1], 0.9, 0.9),
        ([1, 2, np.nan], 0.5, 0.5),
        ([np.nan, np.nan, np.nan], np.nan, np.nan),
    ],
)
def test_the_two_rules(gained: list[float], any_level: float, contiguous: float) -> None:
    found = [
        prune_potential(column(gained), column(list(LADDER)), 1, rule)[0]
        for rule in ("any", "contiguous")
    ]
    np.testing.assert_array_equal(found, [any_level, contiguous])


def test_levels_count_in_the_order_of_their_achieved_ratios() -> None:
    gained, ratios = column([0, 9, 0]), column([0.5, 0.9, 0.7])
    assert prune_potential(gained, ratios, 1, "contiguous")[0] == 0.7


def test_the_next_ratio_of_the_ladder() -> None:
    potentials = np.array([[0.0], [0.7], [0.9]])
    np.testing.assert_array_equal(next_ratio(potentials, column(list(LADDER)))[:, 0], [0.5, 0.9, 1])


def potentials_of(cells: pd.DataFrame, delta: float = 0.005, rule: str = "any") -> pd.DataFrame:
    found = analyse(cells, AnalysisOptions(deltas=(delta,), resamples=50)).by_parent
    return found[found["rule"] == rule].set_index(["task", "seed"])["potential"]


def test_one_error_of_200_is_within_half_a_point_and_two_are_not(table: Any) -> None:
    cells = table({"nominal": {0: [10, 11, 12, 11], 1: [10, 12, 12, 12]}}, LADDER, 200)
    found = potentials_of(cells)
    assert found["nominal", 0] == 0.9
    assert found["nominal", 1] == 0.0
    assert potentials_of(cells, rule="contiguous")["nominal", 0] == 0.5


def test_a_potential_needs_its_parent_and_every_measured_level(table: Any) -> None:
    cells = table(
        {
            "nominal": {0: [10, 10, 10, 10], 1: [None, 10, 10, 10], 2: [10, None, None, None]},
            "fog": {0: [10, 10, None, None], 1: [10, 10, 10, 99]},
        },
        LADDER,
        200,
    )
    found = potentials_of(cells)
    assert found.to_dict() == {("fog", 1): 0.7, ("nominal", 0): 0.9}


def clear_cut(*potentials: float) -> dict[int, list[int]]:
    """Errors that no resampling brings near the margin."""
    return {s: [0, *(0 if r <= p else 500 for r in LADDER)] for s, p in enumerate(potentials)}


def test_the_interval_of_parents_that_differ_is_students(table: Any) -> None:
    found = analyse(table({"nominal": clear_cut(0.5, 0.7, 0.9)}, LADDER, 1000), AnalysisOptions())
    row = found.potentials.iloc[0]
    assert (row["rule"], row["parents"]) == ("any", 3)
    assert row["potential"] == pytest.approx(0.7)
    assert row["low"] == pytest.approx(0.7 - T2 * 0.2 / np.sqrt(3))
    assert row["high"] == 0.9  # the ladder goes no further


def test_the_interval_of_parents_that_agree_is_no_finer_than_the_ladder(table: Any) -> None:
    found = analyse(table({"nominal": clear_cut(0.5, 0.5, 0.5)}, LADDER, 1000), AnalysisOptions())
    row = found.potentials.iloc[0]
    reach = T2 * 0.2 / np.sqrt(12) / np.sqrt(3)
    assert (row["low"], row["high"]) == pytest.approx((0.5 - reach, 0.5 + reach))


def test_parents_that_agree_though_their_errors_scatter(table: Any) -> None:
    """All three stop at 0.5, but one in five like them would reach 0.7: 50 errors are allowed."""
    errors = {seed: [0, 0, count, 900] for seed, count in enumerate((100, 110, 600))}
    options = AnalysisOptions(deltas=(0.05,), resamples=20_000)
    row = analyse(table({"nominal": errors}, LADDER, 1000), options).potentials.iloc[0]
    share = stats.norm.cdf((50.5 - 270) / np.std([100, 110, 600], ddof=1))
    reach = T2 * 0.2 * np.sqrt(share * (1 - share)) / np.sqrt(3)
    assert row["potential"] == 0.5
    assert (row["low"], row["high"]) == pytest.approx((0.5 - reach, 0.5 + reach), abs=0.005)


def test_the_summary_takes_mean_and_minimum_within_each_parent_first(table: Any) -> None:
    cells = table(
        {
            "nominal": clear_cut(0.9, 0.9, 0.7),
            "fog": clear_cut(0.5, 0.9, 0.0),
            "jpeg": clear_cut(0.7, 0.5, 0.7),
        },
        LADDER,
        1000,
    )
    found = analyse(cells, AnalysisOptions(resamples=50)).summary
    found = found[found["rule"] == "any"].set_index(["distribution", "statistic"])
    assert found["potential"].to_dict() == pytest.approx(
        {
            ("train", "mean"): 2.5 / 3,
            ("train", "minimum"): 2.5 / 3,
            ("test", "mean"): (0.6 + 0.7 + 0.35) / 3,
            ("test", "minimum"): (0.5 + 0.5 + 0.0) / 3,
        }
    )
    assert set(found["parents"]) == {3}


def test_the_summary_counts_parents_without_missing_tasks(table: Any) -> None:
    cells = table({"fog": clear_cut(0.5, 0.9), "jpeg": clear_cut(0.7)}, LADDER, 1000)
    found = analyse(cells, AnalysisOptions(resamples=50)).summary
    assert set(found["parents"]) == {1}
    assert set(found["distribution"]) == {"test"}
    mean = found[(found["statistic"] == "mean") & (found["rule"] == "any")]
    assert mean["potential"].item() == pytest.approx(0.6)


LEVELS = st.integers(1, 6)
GAINED = LEVELS.flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-20, 20), min_size=n, max_size=n),
        st.lists(st.floats(0.01, 0.99), min_size=n, max_size=n, unique=True),
    )
)
DELTAS = st.floats(-0.05, 0.05)


@given(GAINED, DELTAS, DELTAS)
def test_properties_of_the_potential(
    measured: tuple[list[int], list[float]], one: float, other: float
) -> None:
    gained, ratios = column(list(map(float, measured[0]))), column(measured[1])
    small, large = (allowed_errors(d, 400) for d in sorted((one, other)))
    for rule in ("any", "contiguous"):
        tight = prune_potential(gained, ratios, small, rule)[0]
        assert tight <= prune_potential(gained, ratios, large, rule)[0]
        assert tight == 0 or tight in ratios
    contiguous = prune_potential(gained, ratios, small, "contiguous")
    assert contiguous <= prune_potential(gained, ratios, small, "any")
