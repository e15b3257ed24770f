"""Tables as CSV and LaTeX."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report import tables
from orchestrator.report.latex import escape, latex

FRAMES = ("curves", "potentials", "by_parent", "summary", "excess", "slopes", "bands")


@pytest.mark.parametrize("name", FRAMES)
def test_csv_gives_the_frame_back_exactly(report, name):
    frame = getattr(report.results, name)
    path = report.folder / "tables" / f"{name}.csv"
    read = pd.read_csv(path, keep_default_na=False, na_values={})
    assert list(read.columns) == list(frame.columns)
    for column in frame:
        values = read[column].to_numpy()
        assert np.array_equal(values, frame[column].to_numpy()), column


def test_csv_of_shortfalls_has_their_rows(
    sketched, make_results, make_context, shortfalls, tmp_path
):
    from orchestrator.report.write import write_report

    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    write_report(results, make_context(**shortfalls), tmp_path)
    missing = pd.read_csv(tmp_path / "tables" / "missing.csv")
    assert missing.to_dict("list") == {"what": ["chains", "cells"], "count": [2, 1096]}


def test_latex_of_a_small_table_is_exactly_this():
    rows = (
        ("w_t", tables.Number(value=0.849, low=0.801, high=0.88, strong=True), "a & b"),
        ("ft", tables.Number(value=-0.5, low=-0.6, high=0.1), "50 %"),
        ("pfp", tables.Number(value=math.nan), "[x]"),
    )
    table = tables.Table("t", "Potential, δ = 0.5 points", ("method", "mean", "worst"), rows)
    assert latex(table) == (
        "% needs \\usepackage{booktabs}\n"
        "\\begin{table}\n"
        "  \\centering\n"
        "  \\caption{Potential, $\\delta$ = 0.5 points.}\n"
        "  \\label{tab:t}\n"
        "  \\begin{tabular}{lrl}\n"
        "    \\toprule\n"
        "    method & mean & worst \\\\\n"
        "    \\midrule\n"
        "    w\\_t & \\textbf{84.9} {\\scriptsize [80.1, 88.0]} & a \\& b \\\\\n"
        "    ft & $-$50.0 {\\scriptsize [$-$60.0, 10.0]} & 50 \\% \\\\\n"
        "    pfp & -- & {[}x] \\\\\n"
        "    \\bottomrule\n"
        "  \\end{tabular}\n"
        "\\end{table}\n"
    )


@given(st.text())
def test_escaped_text_has_no_active_character(text):
    escaped = escape(text)
    assert "\n" not in escaped
    bare = re.sub(r"\\(text\w+\{\}|[&%$#_{}])|\$\\delta\$|\{\[\}", "", escaped)
    assert not re.search(r"[\\&%$#_{}~^]", bare)


def test_smaller_side_is_strong_and_a_tie_is_not(make_results, make_context):
    results, context = make_results(), make_context()
    table = tables.overview(results, context, "resnet8-digits", (0.005, "any"), "t")
    for _, train, test, lowest_train, lowest_test, _ in table.rows:
        assert test.value < train.value
        assert (train.strong, test.strong) == (False, True)
        assert (lowest_train.strong, lowest_test.strong) == (False, True)
    tied = results.summary.assign(potential=0.5)
    table = tables.overview(
        type(results)(**{**vars(results), "summary": tied}),
        context,
        "resnet8-digits",
        (0.005, "any"),
        "t",
    )
    assert not any(cell.strong for row in table.rows for cell in row[1:5])


def test_several_schedules_are_told_apart(make_results, make_context):
    sweep = {
        "methods": ("wt",),
        "schedules": ("cascade", "one_shot"),
        "tasks": ("nominal", "fog-3"),
    }
    results, context = make_results(**sweep, seeds=1), make_context(**sweep)
    table = tables.per_task(results, context, "resnet8-digits", (0.005, "any"), "t")
    assert table.header == ("task", "family", "wt (cascade)", "wt (one-shot)")


def test_worst_tasks_are_all_named_in_sweep_order(make_context):
    rows = [("fog-3", "test", 0.2), ("contrast-3", "test", 0.2), ("nominal", "train", 0.0)]
    rows += [("brightness-3", "test", math.nan), ("glass_blur-3", "test", 0.3)]
    potentials = pd.DataFrame(rows, columns=["task", "distribution", "potential"])
    assert tables.worst_tasks(potentials, make_context()) == ["contrast-3", "fog-3"]


def test_headline_setting_comes_first(make_results, make_context):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"))
    context = make_context(delta=0.02, rule="contiguous")
    settings = tables.settings(results, context)
    assert settings[0] == (0.02, "contiguous")
    assert sorted(settings) == [
        (0.005, "any"),
        (0.005, "contiguous"),
        (0.02, "any"),
        (0.02, "contiguous"),
    ]
