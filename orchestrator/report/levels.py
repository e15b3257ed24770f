"""Which levels of a ladder a report names where there is no room for all."""

from __future__ import annotations

import pandas as pd

from orchestrator.report.cells import Cell
from orchestrator.report.context import ReportContext
from orchestrator.report.numbers import percent
from orchestrator.report.series import Series, of_network, present

MOST = 7


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


def ratio_names(frame: pd.DataFrame, levels: list[int]) -> tuple[str, ...]:
    """Name levels by their mean achieved ratio over all methods: ``46 %``."""
    pruned = frame[frame["level"].isin(levels)].groupby("level")["ratio"].mean()
    return tuple(f"{percent(pruned[level], 0)}\u00a0%" for level in levels)


def ratio_cell(rows: pd.DataFrame) -> Cell:
    """Write the mean prune ratio of ``rows`` in percent."""
    return f"{percent(rows['ratio'].mean(), 0)}\u00a0%" if len(rows) else ""
