"""The summary on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from rich.cells import cell_len
from rich.console import Console

from orchestrator.report.context import RatioMiss
from orchestrator.report.terminal import summary


def lines(results, context, *, terminal=False):
    file = io.StringIO()
    Console(file=file, width=80, force_terminal=terminal).print(summary(results, context))
    return file.getvalue().splitlines()


def test_one_line_per_method_with_the_numbers_of_the_summary(make_results, make_context):
    results, context = make_results(), make_context()
    shown = lines(results, context)
    assert shown[0].startswith("resnet8-digits: prune potential in %, δ = 0.5 points")
    rows = {line.split()[0]: line for line in shown if line.split()}
    table = results.summary.query("delta == 0.005 and rule == 'any' and statistic == 'mean'")
    for row in table.itertuples():
        text = f"{100 * row.potential:.0f} [{100 * row.low:.0f}, {100 * row.high:.0f}]"
        assert text in rows[row.method]
    for row in results.slopes.itertuples():
        assert rows[row.method].rstrip().endswith(f" {100 * row.slope:.1f}")


def test_fits_80_columns_with_long_names(make_results, make_context):
    sweep = {
        "methods": ("wt", "a-method-with-a-very-long-name-indeed"),
        "schedules": ("cascade", "one_shot"),
        "tasks": ("nominal", "a_task_with_a_very_long_name_too-3"),
    }
    shown = lines(make_results(**sweep), make_context(**sweep))
    assert max(map(cell_len, shown)) <= 80
    assert "[" in "".join(shown)


def test_is_plain_when_not_on_a_terminal(make_results, make_context, shortfalls):
    results, context = make_results(), make_context(**shortfalls)
    assert "\x1b" not in "".join(lines(results, context))
    assert "\x1b" in "".join(lines(results, context, terminal=True))


def test_tells_failures_and_gaps(make_results, make_context, shortfalls):
    shown = lines(make_results(), make_context(**shortfalls))
    assert shown[-4:] == [
        "failed: resnet8-digits/s1/ft/cascade: loss is not finite at epoch 3",
        "blocked: 1 chain that waited for a failed one",
        "missing: 2 chains, 1,096 cells",
        "ratios: 1 network missed theirs by up to 1.9 points; see the report",
    ]


def test_many_failures_and_misses_do_not_drown_the_answer(make_results, make_context):
    misses = tuple(
        RatioMiss(chain=f"n{i}", requested=0.9, achieved=0.9 + 0.001 * i) for i in range(40)
    )
    failures = tuple((f"n/s{i}/dense", "OSError: disk full") for i in range(25))
    shown = lines(make_results(), make_context(failures=failures, ratio_misses=misses))
    assert [line.split(":")[0] for line in shown[-12:]] == ["failed"] * 11 + ["ratios"]
    assert shown[-2] == "failed: and 15 more chains; see the report"
    assert shown[-1].startswith("ratios: 40 networks missed theirs by up to 3.9 ")


def test_a_worst_task_stands_on_one_line_without_its_ties(make_results, make_context):
    sweep = {"tasks": ("nominal", "uniform_input_noise-0.25", "gaussian_noise-5", "fog-3")}
    results = make_results(**sweep)
    others = results.potentials["task"] == "fog-3"
    potentials = results.potentials.assign(potential=np.where(others, 0.6, 0.5))
    shown = lines(replace(results, potentials=potentials), make_context(**sweep))
    rows = [line for line in shown if "uniform_input_noise" in line]
    assert len(rows) == 4
    assert all("uniform_input_noise-0.25 " in line and "(+" not in line for line in rows)


def test_where_all_tasks_are_alike_none_is_called_the_worst(make_results, make_context):
    sweep = {"tasks": ("nominal", "uniform_input_noise-0.25", "gaussian_noise-5")}
    results = make_results(**sweep)
    potentials = results.potentials.assign(potential=0.5)
    shown = lines(replace(results, potentials=potentials), make_context(**sweep))
    assert sum("all alike" in line for line in shown) == 4
    assert not any("gaussian" in line or "uniform" in line for line in shown)


def test_names_are_not_markup(make_results, make_context):
    sweep = {"networks": ("[bold]n[/bold]",), "methods": ("[red]m",), "tasks": ("nominal", "[/x]t")}
    shown = "\n".join(lines(make_results(**sweep), make_context(**sweep)))
    assert "[bold]n[/bold]" in shown
    assert "[red]m" in shown
    assert "[/x]t" in shown


def test_nothing_yet(make_results, make_context):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=1)
    empty = replace(results, **{n: getattr(results, n).iloc[:0] for n in ("summary", "slopes")})
    assert "nothing yet" in "\n".join(lines(empty, make_context()))
