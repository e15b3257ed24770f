"""Which levels of a ladder a report names where there is no room for all."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from orchestrator.report.cells import Cell, Table
from orchestrator.report.context import ReportContext
from orchestrator.report.numbers import percent
from orchestrator.report.series import Series, of_network, present

MOST = 7
AT_POTENTIAL = (
    "pruned to the level nearest to each method’s prune potential on the train distribution"
)
"""Which networks ``harmless`` chooses."""


def spread_out(levels: list[int], most: int = MOST) -> list[int]:
    """Choose at most ``most`` of ascending levels, evenly, the first and the last among them."""
    if len(levels) <= most:
        return levels
    places = [round(i * (len(levels) - 1) / (most - 1)) for i in range(most)]
    return [levels[place] for place in places]


def harmless(
    summary: pd.DataFrame, curves: pd.DataFrame, context: ReportContext, network: str
) -> dict[Series, int]:
    """Find for each series the level nearest to its mean prune potential on the train distribution.

    A series whose potential is 0 or unknown has its first level.

    Args:
        summary: ``Results.summary`` at the headline δ and rule.
        curves: ``Results.curves``.
        context: of the report.
        network: its name.

    """
    potentials = of_network(summary, network)
    mean = (potentials["statistic"] == "mean") & (potentials["distribution"] == "train")
    measured = of_network(curves, network)
    found = {}
    for series in present(measured, context):
        ratios = series.rows(measured).groupby("level")["ratio"].mean()
        potential = series.rows(potentials[mean])["potential"]
        target = float(potential.iloc[0]) if len(potential) and potential.notna().all() else 0.0
        found[series] = int(str((ratios - target).abs().idxmin()))
    return found


def by_level(
    frame: pd.DataFrame,
    context: ReportContext,
    name: str,
    caption: str,
    write: Callable[[pd.Series], Cell],
) -> Table:
    """Make a row for each series and a column for each level, named by its mean achieved ratio.

    Args:
        frame: method, schedule, level, ratio; at most one row for each level of a series.
        context: of the report.
        name: of the table.
        caption: of the table.
        write: makes a cell of a row of ``frame``.

    """
    levels = spread_out(sorted(frame["level"].unique().tolist()))
    ratios = frame.groupby("level")["ratio"].mean()
    rows = []
    for one in present(frame, context):
        own = {row["level"]: write(row) for _, row in one.rows(frame).iterrows()}
        rows.append((one.label, *(own.get(level, "") for level in levels)))
    names = (f"{percent(ratios[level], 0)}\u00a0%" for level in levels)
    return Table(name, caption, ("method", *names), tuple(rows))


def ratio_cell(rows: pd.DataFrame) -> Cell:
    """Write the mean prune ratio of ``rows`` in percent."""
    return f"{percent(rows['ratio'].mean(), 0)}\u00a0%" if len(rows) else ""
