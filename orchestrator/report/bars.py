"""Prune potential per task and method, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from orchestrator.report import canvas
from orchestrator.report.context import ReportContext
from orchestrator.report.drawing import Drawing, page_name, pages, save
from orchestrator.report.series import (
    INK,
    SHADE,
    Series,
    headline,
    present,
    several_schedules,
    tasks_of,
)

HATCHES = {"train": "/////", "test": "\\\\\\\\\\"}
TASKS_PER_ROW = 24
BARS_PER_ROW = 120
MARKED_BARS_PER_ROW = 60  # where a marker has to fit on each
ROWS_PER_PAGE = 4
SLOTS = 6  # the least number of tasks a row has room for, lest bars get clumsy
GROUP = 0.84  # width of a task's bars, of 1
GAP = 0.7  # between the two distributions

Task = tuple[str, str]


def draw(
    potentials: pd.DataFrame, context: ReportContext, folder: Path, name: str
) -> list[Drawing]:
    """Draw the prune potentials of one network at the headline δ.

    Args:
        potentials: rows of ``Results.potentials`` of that network.
        context: of the report.
        folder: that the files go to.
        name: their stem.

    """
    shown = headline(potentials, context)
    tasks = list(tasks_of(shown, context))
    series = present(shown, context)
    if not tasks or not series:
        return []
    most = MARKED_BARS_PER_ROW if several_schedules(series) else BARS_PER_ROW
    per_row = max(1, min(TASKS_PER_ROW, most // len(series)))
    rows = pages(tasks, per_row)
    return [
        _page(page, series, shown, folder, page_name(name, number))
        for number, page in enumerate(pages(rows, ROWS_PER_PAGE))
    ]


def _page(
    rows: Sequence[Sequence[Task]],
    series: Sequence[Series],
    potentials: pd.DataFrame,
    folder: Path,
    name: str,
) -> Drawing:
    handles = _handles(series, {distribution for row in rows for _, distribution in row})
    figure, panels = _layout(rows, canvas.legend_height(handles))
    slots = max(_places(row)[-1] + 1 for row in rows)
    for axes, row in zip(panels, rows, strict=True):
        _row(axes, row, series, potentials)
        spare = max(0, SLOTS - slots) / 2
        axes.set_xlim(-0.55 - spare, slots - 0.45 + spare)
    canvas.legend(figure, handles)
    return save(figure, folder, name)


def _layout(rows: Sequence[Sequence[Task]], head: float) -> tuple[Figure, list[Axes]]:
    height, left, right = 1.35, 0.48, 0.08
    label = 0.2 + 0.029 * max(len(task) for row in rows for task, _ in row)
    total = head + 0.08 + len(rows) * (height + label)
    figure = Figure(figsize=(canvas.WIDTH, total))
    panels = []
    for place in range(len(rows)):
        top = total - head - 0.08 - place * (height + label)
        box = (left, top - height, canvas.WIDTH - left - right, height)
        scale = (canvas.WIDTH, total, canvas.WIDTH, total)
        panels.append(figure.add_axes(tuple(np.divide(box, scale))))
    return figure, panels


def _places(row: Sequence[Task]) -> list[float]:
    """Where each task of a row stands; the test distribution starts after a gap."""
    mixed = row[0][1] == "train"
    return [i + GAP * (mixed and distribution == "test") for i, (_, distribution) in enumerate(row)]


def _row(
    axes: Axes, row: Sequence[Task], series: Sequence[Series], potentials: pd.DataFrame
) -> None:
    places = _places(row)
    width, marked = GROUP / len(series), several_schedules(series)
    for rank, one in enumerate(series):
        values = {row["task"]: row for _, row in one.rows(potentials).iterrows()}
        offset = (rank - (len(series) - 1) / 2) * width
        for place, (task, distribution) in zip(places, row, strict=True):
            if task in values:
                _bar(axes, one, values[task], place + offset, width, HATCHES[distribution])
                if marked:
                    _tell_schedule(axes, one, values[task], place + offset)
            else:
                _absent(axes, place + offset)
    axes.set_xticks(
        places, [task for task, _ in row], rotation=40, ha="right", rotation_mode="anchor"
    )
    axes.tick_params(axis="x", length=0, pad=2)
    axes.grid(axis="x", visible=False)
    axes.set_ylim(0, 100)
    axes.set_ylabel("prune potential (%)")


def _bar(
    axes: Axes, series: Series, row: pd.Series, place: float, width: float, hatch: str
) -> None:
    value = 100 * row["potential"]
    if not np.isfinite(value):
        _absent(axes, place)
        return
    thick = 0.9 * width
    axes.bar(place, value, thick, **_looks(series))
    # A layer of its own: in SVG, opacity falls on face and hatch alike, and would hide the hatch.
    axes.bar(place, value, thick, color="none", hatch=hatch, **_hatching(series))
    if np.isfinite(row["low"]) and np.isfinite(row["high"]):
        reach = np.array([[value - 100 * row["low"]], [100 * row["high"] - value]])
        axes.errorbar(
            place,
            value,
            np.maximum(reach, 0),
            color=INK,
            elinewidth=0.6,
            capsize=min(1.5, 6 * width),
        )


def _looks(series: Series) -> dict[str, Any]:
    face = (series.color, series.shade)
    return {"facecolor": face, "edgecolor": series.color, "linewidth": 0.6}


def _hatching(series: Series) -> dict[str, Any]:
    """Hatch a dark bar in ink, since its own colour would not be seen on it."""
    dark = series.shade > SHADE
    return {"edgecolor": INK if dark else series.color, "linewidth": 0 if dark else 0.6}


def _tell_schedule(axes: Axes, series: Series, row: pd.Series, place: float) -> None:
    """Put the marker of the curves on the end of a bar, for shades alone are hard to name."""
    value = 100 * row["potential"]
    axes.plot(place, value, clip_on=False, zorder=4, **canvas.marker_style(series))


def _absent(axes: Axes, place: float) -> None:
    """Mark what was not measured, so that it is not taken for a potential of 0."""
    axes.plot(place, 3, marker="x", color=INK, markersize=2.5, markeredgewidth=0.6)


def _handles(series: Sequence[Series], distributions: set[str]) -> list[list[canvas.Handle]]:
    sides = [
        Patch(facecolor="none", edgecolor=INK, hatch=hatch, label=f"{side} distribution")
        for side, hatch in HATCHES.items()
        if side in distributions
    ]
    return [[_handle(one, several_schedules(series)) for one in series], list(sides)]


def _handle(series: Series, marked: bool) -> canvas.Handle:
    bar = Patch(label=series.label, **_looks(series))
    return (bar, Line2D([], [], **canvas.marker_style(series))) if marked else bar
