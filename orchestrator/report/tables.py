"""The tables of the report, ready to be set in HTML or LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import pandas as pd

from orchestrator.report.context import ReportContext
from orchestrator.report.numbers import interval, percent, points
from orchestrator.report.series import Series, of_network, present, tasks_of

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results

PAIRS = (("mean", "train"), ("mean", "test"), ("minimum", "train"), ("minimum", "test"))


@dataclass(frozen=True, kw_only=True)
class Number:
    """A fraction with its interval, shown in percent; NaN where it is missing.

    ``strong`` numbers are set in bold, ``shaded`` ones on a tint as deep as they are large.
    """

    value: float
    low: float = nan
    high: float = nan
    strong: bool = False
    shaded: bool = False

    @property
    def text(self) -> str:
        """The number in percent."""
        return percent(self.value)

    @property
    def interval(self) -> str:
        """Its interval in percent, empty when there is none."""
        return interval(self.low, self.high)

    @property
    def tint(self) -> str:
        """How deep the tint is, from 0 to 100; empty for no tint."""
        return f"{100 * self.value:.0f}" if self.shaded and self.value == self.value else ""


Cell = str | Number


@dataclass(frozen=True)
class Table:
    """A table: the stem of its files, what it shows, its header and its rows."""

    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


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
        worst = worst_tasks(series.rows(potentials), context)
        rows.append((series.label, *_bold(*values[:2]), *_bold(*values[2:]), _first(worst)))
    header = ("method", "train mean", "test mean", "train minimum", "test minimum", "worst task")
    caption = f"Prune potential of {network} in percent, {setting_text(*setting)}"
    return Table(name, caption, header, tuple(rows))


def per_task(
    results: Results, context: ReportContext, network: str, setting: tuple[float, str], name: str
) -> Table:
    """Potential per task (rows) and method (columns)."""
    potentials = _at(of_network(results.potentials, network), setting)
    series = present(potentials, context)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (task, distribution, *(_on_task(one, potentials, task) for one in series))
        for task, distribution in tasks_of(potentials, context)
    )
    header = ("task", "distribution", *(one.label for one in series))
    caption = f"Prune potential of {network} per task in percent, {setting_text(*setting)}"
    return Table(name, caption, header, rows)


def slopes(results: Results, context: ReportContext, network: str, name: str) -> Table:
    """Slope of the excess error per method, in percentage points from dense to wholly pruned."""
    frame = of_network(results.slopes, network)
    rows = tuple(
        (one.label, _number(row, "slope"), f"{row['parents']:.0f}", f"{row['points']:.0f}")
        for one in present(frame, context)
        for _, row in one.rows(frame).head(1).iterrows()
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
    lowest = set(test.loc[test["potential"] == test["potential"].min(), "task"])
    return [task for task in context.tasks if task in lowest]


def _at(frame: pd.DataFrame, setting: tuple[float, str]) -> pd.DataFrame:
    delta, rule = setting
    return frame[(frame["delta"] == delta) & (frame["rule"] == rule)]


def _find(summary: pd.DataFrame, statistic: str, distribution: str) -> Number:
    chosen = (summary["statistic"] == statistic) & (summary["distribution"] == distribution)
    rows = summary[chosen]
    return Number(value=nan) if rows.empty else _number(rows.iloc[0], "potential")


def _on_task(series: Series, potentials: pd.DataFrame, task: str) -> Number:
    rows = series.rows(potentials[potentials["task"] == task])
    return Number(value=nan) if rows.empty else _number(rows.iloc[0], "potential", shaded=True)


def _number(row: pd.Series, column: str, *, shaded: bool = False) -> Number:
    value, low, high = float(row[column]), float(row["low"]), float(row["high"])
    return Number(value=value, low=low, high=high, shaded=shaded)


def _bold(train: Number, test: Number) -> tuple[Number, Number]:
    return _strong(train, train.value < test.value), _strong(test, test.value < train.value)


def _strong(number: Number, strong: bool) -> Number:
    return Number(value=number.value, low=number.low, high=number.high, strong=strong)


def _first(names: list[str]) -> str:
    more = f" (+{len(names) - 1})" if len(names) > 1 else ""
    return f"{names[0]}{more}" if names else ""
