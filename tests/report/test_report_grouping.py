"""Many tasks told by family, and the worst of them by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from orchestrator.report.grouping import by_family, by_family_worst_first, worst, worst_text
from orchestrator.report.series import headline
from orchestrator.report.tables import per_family

NETWORK = "resnet8-digits"


def test_a_family_is_the_mean_of_its_tasks(whole_report):
    results, context = whole_report.results, whole_report.context
    told = by_family(results.potentials, results.curves, context)
    noise = ["gaussian_noise-3", "impulse_noise-5", "gaussian_noise-5"]
    for frame, averaged, value in (
        (results.potentials, told.potentials, "potential"),
        (results.curves, told.curves, "accuracy"),
    ):
        keys = ["method", *({"delta", "rule", "level"} & set(frame.columns))]
        expected = frame[frame["task"].isin(noise)].groupby(keys)[value].mean()
        found = averaged[averaged["task"] == "noise"].set_index(keys)[value]
        pd.testing.assert_series_equal(found.sort_index(), expected, check_exact=False)
        limits = averaged[averaged["task"] == "noise"]
        assert (limits["low"] <= limits[value]).all()
        assert (limits[value] <= limits["high"]).all()


def test_a_family_that_is_not_measured_whole_is_left_out(whole_report):
    results, context = whole_report.results, whole_report.context
    curves = results.curves
    gone = (curves["task"] == "fog-5") & (curves["level"] == 3)
    told = by_family(results.potentials, curves[~gone], context).curves
    weather = told[told["task"] == "weather"]
    assert sorted(weather["level"].unique()) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_the_worst_tasks_come_worst_first(whole_report):
    results, context = whole_report.results, whole_report.context
    told = worst(results.potentials, results.curves, context)
    shown = headline(results.potentials, context)
    means = shown[shown["distribution"] == "test"].groupby("task")["potential"].mean()
    assert means[list(told.context.tasks)].is_monotonic_increasing
    assert len(told.context.tasks) == 8
    assert set(told.curves["task"]) == set(told.context.tasks)
    order = by_family_worst_first(shown, context)
    assert [name for _, name in order] == sorted(
        (name for _, name in order), key=[name for _, name in order].index
    )


def tied(results, lowest, others, count):
    """Give the first ``count`` shifted tasks the potential ``lowest``, the others ``others``."""
    names = results.potentials.query("distribution == 'test'")["task"].unique()[:count]
    at_bottom = results.potentials["task"].isin(names)
    return results.potentials.assign(potential=np.where(at_bottom, lowest, others))


@pytest.mark.parametrize(
    ("count", "kept", "text"),
    [
        (13, 0, "all 13 shifted tasks have the same, 50.0\u00a0%"),
        (10, 0, "10 of 13 shifted tasks share the smallest, 50.0\u00a0%"),
        (8, 8, "then the 8 tasks with the smallest"),
        (3, 3, "then the 3 tasks with the smallest"),
        (1, 1, "then the 1 task with the smallest"),
    ],
)
def test_the_worst_are_never_an_arbitrary_few_of_equals(whole_report, count, kept, text):
    results, context = whole_report.results, whole_report.context
    potentials = tied(results, 0.5, 0.9, count)
    assert len(worst(potentials, results.curves, context).context.tasks) == kept
    assert worst_text(potentials, context) == text
    told = (replace(results, potentials=potentials), context, NETWORK)
    table = per_family(*told, (context.delta, context.rule), "t")
    assert f"mean over each family of tasks; {text}; δ" in table.caption
    assert len(table.rows) == 6 + kept


def test_tasks_without_potentials_are_not_the_worst(whole_report):
    results, context = whole_report.results, whole_report.context
    few = tied(results, 0.5, np.nan, 3)
    assert len(worst(few, results.curves, context).context.tasks) == 3
    assert worst_text(results.potentials.iloc[:0], context) == ""
