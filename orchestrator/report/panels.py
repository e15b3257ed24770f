"""Small multiples over the prune ratio: one panel per quantity, one line per method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from orchestrator.report import canvas
from orchestrator.report.cells import Unit
from orchestrator.report.context import ReportContext
from orchestrator.report.curves import BAND, DASHES
from orchestrator.report.drawing import Drawing, save
from orchestrator.report.series import DENSE, INK, Series, present

HEIGHT = 1.2
COLUMNS = 4
TITLE_ROW = 0.12  # inches, of each line of a title but the first


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One quantity over the prune ratio.

    Attributes:
        title: what is shown, with its unit.
        rows: method, schedule, ratio, mean, low, high; method ``dense`` is where lines begin.
        unit: ``percent`` for fractions.
        reference: where a dashed line goes, if anywhere.
        focused: whether the ordinate follows the means, where intervals dwarf them.

    """

    title: str
    rows: pd.DataFrame
    unit: Unit = "percent"
    reference: float = nan
    focused: bool = False


def draw(
    panels: Sequence[Panel],
    context: ReportContext,
    folder: Path,
    name: str,
    *,
    columns: int = COLUMNS,
    reference: str = "",
    share_y: Literal["all", "row", "col"] = "col",
) -> list[Drawing]:
    """Draw the panels row by row.

    Args:
        panels: those without rows leave their place empty.
        context: of the report.
        folder: that the files go to.
        name: their stem.
        columns: panels in a row.
        reference: what the legend calls the dashed lines.
        share_y: which panels share their ordinate.

    """
    together = pd.concat([panel.rows for panel in panels])
    series = present(together, context)
    if not series:
        return []
    handles = _handles(series, reference)
    columns = min(columns, len(panels))
    grid = canvas.grid(
        len(panels),
        columns,
        height=HEIGHT,
        gap=(0.36, 0.46),
        head=canvas.legend_height(handles) + TITLE_ROW * max(p.title.count("\n") for p in panels),
        share_y=share_y,
    )
    for axes, panel in zip(grid.panels, panels, strict=True):
        _panel(axes, panel, series)
    canvas.label(grid, "")
    canvas.legend(grid.figure, handles)
    return [save(grid.figure, folder, name)]


def _panel(axes: Axes, panel: Panel, series: Sequence[Series]) -> None:
    scale = 100 if panel.unit == "percent" else 1
    axes.set_title(panel.title)
    axes.yaxis.set_tick_params(labelleft=True)
    if isfinite(panel.reference):
        axes.axhline(scale * panel.reference, color=INK, linewidth=0.7, linestyle=DASHES)
    dense = panel.rows[panel.rows["method"] == DENSE]
    for one in series:
        rows = pd.concat([dense, one.rows(panel.rows)]).sort_values("ratio")
        values = scale * rows[["mean", "low", "high"]].astype(float)
        ratio = 100 * rows["ratio"]
        banded = values.notna().all(axis=1)
        if banded.any():
            axes.fill_between(
                ratio[banded],
                values["low"][banded],
                values["high"][banded],
                color=one.color,
                alpha=min(BAND, 4 * BAND / len(series)),
                linewidth=0,
            )
        axes.plot(ratio, values["mean"], clip_on=False, **canvas.line_style(one))
    if panel.focused:
        _focus(axes, scale * panel.rows["mean"], scale * panel.reference)


def _focus(axes: Axes, means: pd.Series, reference: float) -> None:
    low, high = np.nanmin([*means, reference]), np.nanmax([*means, reference])
    room = 0.75 * (high - low) or 0.5
    axes.set_ylim(low - room, high + room)


def _handles(series: Sequence[Series], reference: str) -> list[list[Artist]]:
    lines: list[Artist] = [
        Line2D([], [], label=one.label, **canvas.line_style(one)) for one in series
    ]
    looks: dict[str, Any] = {"color": INK, "linewidth": 0.7, "linestyle": DASHES}
    return [lines, [Line2D([], [], label=reference, **looks)] if reference else []]
