"""Excess error over prune ratio: a point per pruned network, and its regression."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from orchestrator.report import canvas
from orchestrator.report.context import ReportContext
from orchestrator.report.drawing import Drawing, save
from orchestrator.report.numbers import interval, percent
from orchestrator.report.series import INK, Series, present


def draw(
    excess: pd.DataFrame,
    slopes: pd.DataFrame,
    bands: pd.DataFrame,
    context: ReportContext,
    folder: Path,
    name: str,
) -> list[Drawing]:
    """Draw the excess error of one network, one panel per method.

    Args:
        excess: rows of ``Results.excess`` of that network.
        slopes: rows of ``Results.slopes``.
        bands: rows of ``Results.bands``.
        context: of the report.
        folder: that the files go to.
        name: their stem.

    """
    shown = excess.dropna(subset=["ratio", "excess"])
    series = present(shown, context)
    if not series:
        return []
    columns = min(len(series), 4)
    grid = canvas.grid(len(series), columns, height=1.45, gap=(0.14, 0.44), head=0.12)
    for axes, one in zip(grid.panels, series, strict=True):
        _panel(axes, one, one.rows(shown), one.rows(bands))
        axes.set_title(_title(one, one.rows(slopes)))
    canvas.label(grid, "excess error (points)")
    return [save(grid.figure, folder, name)]


def _panel(axes: Axes, series: Series, networks: pd.DataFrame, band: pd.DataFrame) -> None:
    band = band.sort_values("ratio")
    ratio = 100 * band["ratio"]
    axes.axhline(0, color=INK, linewidth=0.7, linestyle=(0, (5, 2)))
    axes.fill_between(
        ratio, 100 * band["low"], 100 * band["high"], color=series.color, alpha=0.18, linewidth=0
    )
    axes.plot(ratio, 100 * band["excess"], color=series.color, linestyle=series.line)
    dots = {**canvas.marker_style(series), "alpha": 0.7}
    axes.plot(100 * networks["ratio"], 100 * networks["excess"], **dots)


def _title(series: Series, slopes: pd.DataFrame) -> str:
    if slopes.empty:
        return series.label
    row = slopes.iloc[0]
    return (
        f"{series.label}\nslope {percent(row['slope'])} {interval(row['low'], row['high'])}".strip()
    )
