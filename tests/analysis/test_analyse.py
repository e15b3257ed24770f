from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from orchestrator.analysis import AnalysisOptions, Results, analyse
from orchestrator.analysis.analyse import COLUMNS

OPTIONS = AnalysisOptions(deltas=(0.0, 0.02), resamples=300)
TABLES = [f.name for f in fields(Results) if f.name != "options"]


def sweep() -> pd.DataFrame:
    """Three parents, two methods, three levels, four tasks; one has its own, smaller test set."""
    rng = np.random.default_rng(0)
    names = [("dense", "", 0)] + [(m, "cascade", k) for m in ("wt", "ft-l2") for k in (1, 2, 3)]
    rows = [
        ("net", seed, *name, 0.3 * name[2] + 0.001 * seed * name[2], task, distribution,
         rng.random(90 if task == "natural" else 150) > 0.2 + 0.02 * name[2])
        for seed in (0, 1, 2)
        for name in names
        for task, distribution in {
            "nominal": "train", "fog-3": "test", "jpeg-3": "test", "natural": "test"
        }.items()
    ]  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["network", "seed", "method", "schedule", "level", "achieved_ratio", "task",
                 "distribution", "correct"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return sweep()


@pytest.fixture(scope="module")
def results(cells: pd.DataFrame) -> Results:
    return analyse(cells, OPTIONS)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("empty", ["nothing", "no rows", "parents", "pruned"])
def test_every_table_has_its_columns_and_types(cells: pd.DataFrame, name: str, empty: str) -> None:
    parents = cells["method"] == "dense"
    given = {
        "nothing": pd.DataFrame(),
        "no rows": cells.iloc[:0],
        "parents": cells[parents],
        "pruned": cells[~parents],
    }[empty]
    table = getattr(analyse(given, OPTIONS), name)
    assert {c: str(t) for c, t in table.dtypes.items()} == COLUMNS[name]
    assert table.empty or name == "curves"


def test_the_size_of_every_table(results: Results) -> None:
    sizes = {name: len(getattr(results, name)) for name in TABLES}
    assert sizes == {
        "curves": 4 + 2 * 3 * 4,
        "potentials": 2 * 4 * 2 * 2,
        "by_parent": 2 * 3 * 4 * 2 * 2,
        "summary": 2 * 2 * 2 * 2 * 2,
        "excess": 2 * 3 * 3,
        "slopes": 2,
        "bands": 2 * 100,
    }


def test_curves_hold_the_mean_accuracy_and_ratio(cells: pd.DataFrame, results: Results) -> None:
    point = results.curves.query("method == 'ft-l2' and level == 2 and task == 'natural'").iloc[0]
    own = cells.query("method == 'ft-l2' and level == 2 and task == 'natural'")
    assert point["accuracy"] == pytest.approx(np.mean([c.mean() for c in own["correct"]]))
    assert point["ratio"] == pytest.approx(0.6 + 0.002)
    assert point["parents"] == 3
    parent = results.curves.query("method == 'dense'")
    assert set(parent["level"]) == {0}
    assert set(parent["schedule"]) == {""}


def test_estimates_lie_in_their_intervals(results: Results) -> None:
    for name, value in {
        "curves": "accuracy",
        "potentials": "potential",
        "summary": "potential",
        "slopes": "slope",
        "bands": "excess",
    }.items():
        table = getattr(results, name)
        assert (table["low"] <= table[value]).all(), name
        assert (table[value] <= table["high"]).all(), name
    for name in ("curves", "potentials", "summary"):
        assert getattr(results, name)[["low", "high"]].stack().between(0, 1).all()


def test_the_order_of_the_rows_changes_no_bit(cells: pd.DataFrame, results: Results) -> None:
    shuffled = analyse(cells.sample(frac=1, random_state=5), OPTIONS)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(shuffled, name), getattr(results, name), check_exact=True
        )


def test_other_networks_in_the_table_change_no_bit(cells: pd.DataFrame, results: Results) -> None:
    both = analyse(pd.concat([cells.assign(network="another"), cells]), OPTIONS)
    for name in TABLES:
        table = getattr(both, name)
        own = table[table["network"] == "net"].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, getattr(results, name), check_exact=True)


def test_the_seed_moves_the_intervals_and_nothing_else(
    cells: pd.DataFrame, results: Results
) -> None:
    other = analyse(cells, replace(OPTIONS, seed=1))
    assert (other.curves["low"] != results.curves["low"]).any()
    pd.testing.assert_series_equal(other.curves["accuracy"], results.curves["accuracy"])
    pd.testing.assert_frame_equal(other.by_parent, results.by_parent)


def test_intervals_widen_with_the_confidence_and_with_fewer_parents(
    cells: pd.DataFrame, results: Results
) -> None:
    def width(found: Results) -> float:
        return float((found.slopes["high"] - found.slopes["low"]).iloc[0])

    less = analyse(cells, AnalysisOptions(confidence=0.8, resamples=300))
    two = analyse(cells[cells["seed"] < 2], OPTIONS)
    assert width(less) < width(results) < width(two)


def test_a_single_parent_still_has_an_interval(cells: pd.DataFrame) -> None:
    found = analyse(cells[cells["seed"] == 1], OPTIONS)
    for table in (found.curves, found.potentials, found.summary, found.slopes):
        assert set(table["parents"]) == {1}
        assert (table["low"] < table["high"]).all()


def test_a_cell_that_comes_twice_is_refused(cells: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="net wt cascade: expected one row per seed, level"):
        analyse(pd.concat([cells, cells[cells["method"] == "wt"].iloc[:1]]), OPTIONS)


def test_a_task_with_two_test_sets_is_refused(cells: pd.DataFrame) -> None:
    other = cells.copy()
    other.at[0, "correct"] = np.ones(7, dtype=bool)
    with pytest.raises(ValueError, match="one test set for each task, got several for nominal"):
        analyse(other, OPTIONS)


def test_a_partial_sweep_is_analysed_as_far_as_it_goes(cells: pd.DataFrame) -> None:
    done = cells[(cells["seed"] < 1) | (cells["level"] < 3) & (cells["method"] != "ft-l2")]
    found = analyse(done, OPTIONS)
    parents = found.curves.set_index(["method", "level", "task"])["parents"]
    assert parents["wt", 2, "fog-3"] == 3
    assert parents["wt", 3, "fog-3"] == 1
    assert parents["ft-l2", 1, "fog-3"] == 1
    slopes: dict[Any, Any] = found.slopes.set_index("method")[["parents", "points"]].T.to_dict()
    assert slopes == {"wt": {"parents": 3, "points": 7}, "ft-l2": {"parents": 1, "points": 3}}
