"""The answer in plain English, and the honest line about its intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from orchestrator.report.answer import answer, intervals_note
from orchestrator.report.tables import overview

NET = "resnet8-digits"


def told(results, context, means, potentials):
    """Results whose numbers are these: means (method, side) and potentials (method, task)."""
    summary = [
        (NET, method, "cascade", side, "mean", 0.005, "any", value, value - 0.04, value + 0.03, 3)
        for (method, side), value in means.items()
    ]
    rows = [
        (NET, method, "cascade", task, side, 0.005, "any", value, value, value, 3)
        for (method, task, side), value in potentials.items()
    ]
    return replace(
        results,
        summary=pd.DataFrame(summary, columns=results.summary.columns),
        potentials=pd.DataFrame(rows, columns=results.potentials.columns),
    )


@pytest.fixture
def told_of(make_results, make_context):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    context = make_context()

    def tell(means, potentials):
        return answer(told(results, context, means, potentials), context, NET).replace(
            "\u00a0", " "
        )

    return tell


WT = {
    ("wt", "nominal", "train"): 0.85,
    ("wt", "fog-3", "test"): 0.42,
    ("wt", "impulse_noise-5", "test"): 0.0,
}


def test_best_method_is_told_with_its_worst_task(told_of):
    assert told_of({("wt", "train"): 0.85, ("wt", "test"): 0.21}, WT) == (
        "resnet8-digits can be pruned to 85 % [81, 88] by wt before its error on nominal data "
        "rises by more than 0.5 points, but only to 21 % [17, 24] on average over the 2 shifted "
        "tasks and to 0 % on impulse_noise-5."
    )


def test_sturdier_method_gets_a_sentence(told_of):
    ft = {("ft", task, side): 0.4 for _, task, side in WT}
    means = {("wt", "train"): 0.85, ("wt", "test"): 0.21, ("ft", "train"): 0.4, ("ft", "test"): 0.4}
    assert told_of(means, {**WT, **ft}).endswith(
        "Under shift ft lasts longest: to 40 % [36, 43] on each of the 2 shifted tasks."
    )


def test_tasks_that_share_the_smallest_potential_are_counted(told_of):
    tied = {**WT, ("wt", "fog-3", "test"): 0.0, ("wt", "contrast-3", "test"): 0.6}
    assert told_of({("wt", "train"): 0.85, ("wt", "test"): 0.2}, tied).endswith(
        "to 20 % [16, 23] on average over the 3 shifted tasks and to 0 % on fog-3 and 1 other."
    )


def test_shift_that_does_no_harm_is_not_called_only(told_of):
    potentials = {("wt", "nominal", "train"): 0.5, ("wt", "fog-3", "test"): 0.6}
    assert told_of({("wt", "train"): 0.5, ("wt", "test"): 0.6}, potentials) == (
        "resnet8-digits can be pruned to 50 % [46, 53] by wt before its error on nominal data "
        "rises by more than 0.5 points, and to 60 % [56, 63] on fog-3."
    )


def test_without_shifted_tasks(told_of):
    assert told_of({("wt", "train"): 0.5}, {("wt", "nominal", "train"): 0.5}).endswith(
        "0.5 points."
    )


def test_without_nominal_task(told_of):
    assert told_of({("wt", "test"): 0.6}, {("wt", "fog-3", "test"): 0.6}) == (
        "resnet8-digits can be pruned by wt to 60 % [56, 63] on fog-3 before its error rises by "
        "more than 0.5 points."
    )


def test_without_anything(told_of):
    assert "Nothing can be said about resnet8-digits yet" in told_of({}, {})


def test_potential_that_is_not_known_is_not_the_best(told_of):
    means = {("wt", "train"): np.nan, ("ft", "train"): 0.3}
    potentials = {("wt", "nominal", "train"): np.nan, ("ft", "nominal", "train"): 0.3}
    assert "to 30 % [26, 33] by ft" in told_of(means, potentials)


@pytest.mark.parametrize("control", ["reference", "reference-x"])
def test_a_control_that_only_pretends_never_wins(control, make_results, make_context):
    """It lasts longest everywhere, on paper, and yet the answer is about what was pruned."""
    context = make_context(methods=("wt", control), schedules=("cascade",))
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    means = {("wt", "train"): 0.85, ("wt", "test"): 0.21}
    alone = answer(told(results, context, means, WT), context, NET)
    pretended = {(control, task, side): 0.95 for _, task, side in WT}
    means |= {(control, "train"): 0.95, (control, "test"): 0.95}
    both = told(results, context, means, WT | pretended)
    assert answer(both, context, NET) == alone
    assert "by wt before" in alone
    rows = overview(both, context, NET, (0.005, "any"), "t").rows
    assert [row[0] for row in rows] == ["wt", control], "it stays in the tables"


def test_segmentation_is_told_in_mean_iou(make_results, make_context):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    context = make_context(segmented=(NET,))
    means = {("wt", "train"): 0.85, ("wt", "test"): 0.21}
    text = answer(told(results, context, means, WT), context, NET).replace("\u00a0", " ")
    assert text.startswith(
        "resnet8-digits can be pruned to 85 % [81, 88] by wt before its mean IoU on nominal data "
        "falls by more than 0.5 points, but only to 21 %"
    )
    shifted = answer(told(results, context, {("wt", "test"): 0.6}, WT), context, NET)
    assert shifted.endswith("before its mean IoU falls by more than 0.5 points.")


def test_note_depends_on_the_number_of_parents(make_results, make_context):
    sweep = {"methods": ("wt",), "tasks": ("nominal", "fog-3")}
    notes = {n: intervals_note(make_results(**sweep, seeds=n), make_context()) for n in (1, 3, 6)}
    assert "from one parent network" in notes[1]
    assert "not of the seed" in notes[1]
    assert "from 3 independently trained parents" in notes[3]
    assert "wide" in notes[3]
    assert "from 6 independently trained parents" in notes[6]
    assert "wide" not in notes[6]


def test_note_without_intervals(make_results, make_context):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    bare = replace(results, potentials=results.potentials.assign(low=np.nan, high=np.nan))
    assert intervals_note(bare, make_context()).startswith("There are no intervals")


def test_note_of_a_partial_sweep_gives_the_range_of_parents(make_results, make_context):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=3)
    fewer = results.potentials["parents"].where(results.potentials["task"] == "nominal", 2)
    partial = replace(results, potentials=results.potentials.assign(parents=fewer))
    assert "from 2 to 3 independently trained parents" in intervals_note(partial, make_context())


def test_at_the_end_of_the_ladder_more_may_be_possible(told_of):
    means = {("wt", "train"): 0.97, ("wt", "test"): 0.21}
    assert told_of(means, WT).startswith("resnet8-digits can be pruned to at least 97 % [93, 100]")
