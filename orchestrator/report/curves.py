"""Accuracy (or what takes its place) over prune ratio, one panel per task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from orchestrator.report import canvas
from orchestrator.report.context import ReportContext
from orchestrator.report.drawing import Drawing, page_name, pages, save
from orchestrator.report.numbers import points
from orchestrator.report.series import (
    DENSE,
    INK,
    Series,
    headline,
    present,
    several_schedules,
    tasks_of,
)

PANELS_PER_PAGE = 30
RUG = 0.2  # of the panel's height, kept free below the curves for the prune potentials
MARKED_RUG = 0.34  # where markers tell them apart
BAND = 0.18  # how opaque an interval is; many of them share what four have
DASHES = (0, (5, 2))


def draw(
    curves: pd.DataFrame,
    potentials: pd.DataFrame,
    context: ReportContext,
    folder: Path,
    name: str,
) -> list[Drawing]:
    """Draw the curves of one network.

    Args:
        curves: rows of ``Results.curves`` of that network.
        potentials: rows of ``Results.potentials`` of that network; marked on the lower edge.
        context: of the report.
        folder: that the files go to.
        name: their stem.

    """
    shown = curves.dropna(subset=["ratio", "accuracy"])
    tasks = [task for task, _ in tasks_of(shown, context)]
    series = present(shown, context)
    if not series:
        return []
    marked = headline(potentials, context)
    metric = context.metric(str(shown["network"].iloc[0]))
    return [
        _page(page, series, shown, marked, context, metric, folder, page_name(name, number))
        for number, page in enumerate(pages(tasks, PANELS_PER_PAGE))
    ]


def _page(
    tasks: Sequence[str],
    series: Sequence[Series],
    curves: pd.DataFrame,
    potentials: pd.DataFrame,
    context: ReportContext,
    metric: str,
    folder: Path,
    name: str,
) -> Drawing:
    handles = _handles(series, context)
    columns = min(len(tasks), 4 if len(tasks) <= 12 else 5)
    marked = several_schedules(series)
    if marked:
        columns = min(columns, 3)
    height = _height(columns) + 0.45 * marked
    grid = canvas.grid(len(tasks), columns, height=height, head=canvas.legend_height(handles))
    band, rug = min(BAND, 4 * BAND / len(series)), MARKED_RUG if marked else RUG
    for axes, task in zip(grid.panels, tasks, strict=True):
        axes.set_title(task, fontsize=7 if columns < 5 else 6.2)
        here = curves[curves["task"] == task]
        dense = here[here["method"] == DENSE]
        _dense(axes, dense, context.delta)
        measured = potentials[potentials["task"] == task]
        for rank, one in enumerate(series):
            _line(axes, one, pd.concat([dense, one.rows(here)]).sort_values("ratio"), band)
            top = 0.95 * rug * (1 - rank / len(series))
            (_mark_by_marker if marked else _mark)(axes, one, one.rows(measured), top)
    canvas.label(grid, f"{metric} (%)")
    _make_room(grid.panels[0], curves, rug)
    canvas.legend(grid.figure, handles)
    return save(grid.figure, folder, name)


def _height(columns: int) -> float:
    return {1: 2.6, 2: 1.9, 3: 1.45}.get(columns, 1.1)


def _line(axes: Axes, series: Series, rows: pd.DataFrame, opacity: float) -> None:
    ratio = 100 * rows["ratio"]
    banded = rows[["low", "high"]].notna().all(axis=1)
    if banded.any():
        axes.fill_between(
            ratio[banded],
            100 * rows["low"][banded],
            100 * rows["high"][banded],
            color=series.color,
            alpha=opacity,
            linewidth=0,
        )
    axes.plot(ratio, 100 * rows["accuracy"], clip_on=False, **canvas.line_style(series))


def _make_room(axes: Axes, curves: pd.DataFrame, rug: float) -> None:
    """Give all pages the same range, and room for the marks below it."""
    values = 100 * curves[["accuracy", "low", "high"]].to_numpy(dtype=float)
    axes.set_ylim(np.nanmin(values) - 2, np.nanmax(values) + 2)
    low, high = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if max(low, 0) <= tick <= high]
    axes.set_ylim(low - rug / (1 - rug) * (high - low), high)
    axes.set_yticks(ticks)


def _dense(axes: Axes, dense: pd.DataFrame, delta: float) -> None:
    if dense.empty:
        return
    parent = 100 * float(dense["accuracy"].iloc[0])
    axes.axhline(parent, color=INK, linewidth=0.7, linestyle=DASHES)
    axes.axhspan(parent - 100 * delta, parent, color=INK, alpha=0.18, linewidth=0)


def _mark(axes: Axes, series: Series, potentials: pd.DataFrame, top: float) -> None:
    """Mark the prune potential below the curves; each series has its own height, for ties."""
    at = 100 * potentials["potential"].dropna()
    edge = axes.get_xaxis_transform()
    axes.vlines(
        at, top - 0.04, top, transform=edge, color=series.color, linewidth=1.6, clip_on=False
    )


def _mark_by_marker(axes: Axes, series: Series, potentials: pd.DataFrame, top: float) -> None:
    at = 100 * potentials["potential"].dropna()
    looks = {**canvas.marker_style(series), "clip_on": False}
    axes.plot(at, [top - 0.01] * len(at), transform=axes.get_xaxis_transform(), **looks)


def _handles(series: Sequence[Series], context: ReportContext) -> list[list[Artist]]:
    margin = f"margin δ = {points(context.delta)}"
    mark, told = "|", "prune potential"
    if several_schedules(series):
        mark, told = ".", f"{told}, below"
    return [
        [Line2D([], [], label=one.label, **canvas.line_style(one)) for one in series],
        [
            Line2D([], [], color=INK, linewidth=0.7, linestyle=DASHES, label="dense parent"),
            Patch(color=INK, alpha=0.18, linewidth=0, label=margin),
            Line2D([], [], color=INK, marker=mark, linestyle="", label=told),
        ],
    ]
