"""The tables of the report, ready to be set in HTML or LaTeX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.context import ReportContext
from orchestrator.report.grouping import (
    by_family,
    by_family_worst_first,
    family_of,
    worst,
    worst_text,
)
from orchestrator.report.numbers import EDGE, count, points
from orchestrator.report.series import Series, of_network, present, tasks_of
from orchestrator.robustness.families import family

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results

PAIRS = (("mean", "train"), ("mean", "test"), ("minimum", "train"), ("minimum", "test"))


def settings(results: Results, context: ReportContext) -> list[tuple[float, str]]:
    """List every (δ, rule) of the results, the headline first."""
    frame = results.summary[["delta", "rule"]].drop_duplicates()
    found = list(zip(frame["delta"].tolist(), frame["rule"].tolist(), strict=True))
    return sorted(found, key=lambda pair: pair != (context.delta, context.rule))


def setting_text(delta: float, rule: str) -> str:
    """Say which margin and rule a table holds for."""
    return f"δ = {points(delta)}, rule “{rule}”"


def overview(
    results: Results, context: ReportContext, network: str, setting: tuple[float, str], name: str
) -> Table:
    """Mean and minimum potential per method over either distribution; the smaller side is strong.

    The table of Lost in Pruning (arXiv 2103.03014), with intervals and the worst task.
    """
    summary = _at(of_network(results.summary, network), setting)
    potentials = _at(of_network(results.potentials, network), setting)
    rows: list[tuple[Cell, ...]] = []
    for series in present(summary, context):
        values = [_find(series.rows(summary), *pair) for pair in PAIRS]
        worst = _worst(series.rows(potentials), context)
        rows.append((series.label, *_bold(*values[:2]), *_bold(*values[2:]), worst))
    header = ("method", "train mean", "test mean", "train minimum", "test minimum", "worst task")
    caption = f"Prune potential of {network} in percent, {setting_text(*setting)}"
    return Table(name, caption, header, tuple(rows))


def per_task(
    results: Results, context: ReportContext, network: str, setting: tuple[float, str], name: str
) -> Table:
    """Potential per task (rows) and method (columns), family by family, the worst tasks first."""
    potentials = _at(of_network(results.potentials, network), setting)
    rows = by_family_worst_first(potentials, context)
    caption = f"Prune potential of {network} per task in percent, {setting_text(*setting)}"
    return _potentials(potentials, context, rows, name, caption)


def per_family(
    results: Results, context: ReportContext, network: str, setting: tuple[float, str], name: str
) -> Table:
    """Mean potential of each family of tasks, then the tasks with the smallest potentials."""
    own = of_network(results.potentials, network)
    curves = of_network(results.curves, network).iloc[:0]
    families, lowest = by_family(own, curves, context), worst(own, curves, context)
    both = _at(pd.concat([families.potentials, lowest.potentials]), setting)
    sizes = own.drop_duplicates("task")
    sides = zip(sizes["task"], sizes["distribution"], strict=True)
    counts = Counter(family_of(task, side) for task, side in sides)
    rows = [
        (task, count(counts[task], "task"))
        for task, _ in tasks_of(families.potentials, families.context)
    ]
    rows += [(task, family(task)) for task in lowest.context.tasks]
    parts = ("mean over each family of tasks", worst_text(own, context), setting_text(*setting))
    caption = f"Prune potential of {network} in percent, {'; '.join(filter(None, parts))}"
    return _potentials(both, context, rows, name, caption)


def _potentials(
    potentials: pd.DataFrame,
    context: ReportContext,
    tasks: Sequence[tuple[str, str]],
    name: str,
    caption: str,
) -> Table:
    series = present(potentials, context)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (task, group, *(_on_task(one, potentials, task) for one in series)) for task, group in tasks
    )
    return Table(name, caption, ("task", "family", *(one.label for one in series)), rows)


def slopes(results: Results, context: ReportContext, network: str, name: str) -> Table:
    """Slope of the excess error per method, in percentage points from dense to wholly pruned."""
    frame, counts = of_network(results.slopes, network), ("parents", "points")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.label, Number.of(own, "slope"), *(f"{own[n].iloc[0]:.0f}" for n in counts))
        for one in present(frame, context)
        for own in [one.rows(frame)]
    )
    caption = f"Excess error of {network}: regression on the prune ratio through the origin"
    return Table(name, caption, ("method", "slope (points)", "parents", "networks"), rows)


def shortfalls(context: ReportContext) -> Iterator[Table]:
    """Yield what failed, what it blocked, what is missing and which ratios were missed, if any."""
    missed = tuple(
        (miss.chain, Number(value=miss.requested), Number(value=miss.achieved))
        for miss in context.ratio_misses
    )
    missing = tuple((what, f"{number:,}") for what, number in context.missing)
    tables = (
        Table("failures", "Chains that failed", ("chain", "cause"), context.failures),
        Table("blocked", "Chains that never started", ("chain", "waited for"), context.blocked),
        Table("missing", "Planned but not in the store", ("what", "how many"), missing),
        Table(
            "ratio-misses",
            "Networks outside the tolerance of their prune ratio, in percent",
            ("chain", "requested", "achieved"),
            missed,
        ),
    )
    yield from (table for table in tables if table.rows)


def worst_tasks(potentials: pd.DataFrame, context: ReportContext) -> list[str]:
    """Name the test tasks with the smallest potential, in sweep order; empty without any."""
    test = potentials[(potentials["distribution"] == "test") & potentials["potential"].notna()]
    lowest = set(test.loc[test["potential"] <= test["potential"].min() + EDGE, "task"])
    return [task for task in context.tasks if task in lowest]


def _at(frame: pd.DataFrame, setting: tuple[float, str]) -> pd.DataFrame:
    delta, rule = setting
    return frame[(frame["delta"] == delta) & (frame["rule"] == rule)]


def _find(summary: pd.DataFrame, statistic: str, distribution: str) -> Number:
    chosen = (summary["statistic"] == statistic) & (summary["distribution"] == distribution)
    return Number.of(summary[chosen], "potential")


def _on_task(series: Series, potentials: pd.DataFrame, task: str) -> Number:
    rows = series.rows(potentials[potentials["task"] == task])
    return Number.of(rows, "potential", shaded=True)


def _bold(train: Number, test: Number) -> tuple[Number, Number]:
    return train.set_strong(train.value < test.value), test.set_strong(test.value < train.value)


def _worst(potentials: pd.DataFrame, context: ReportContext) -> str:
    """Name the first of the worst test tasks, and how many share its potential."""
    first, *others = worst_tasks(potentials, context) or [""]
    if others and len(others) + 1 == sum(
        side == "test" for _, side in tasks_of(potentials, context)
    ):
        return "all alike"
    return f"{first} (+{len(others)})" if others else first
