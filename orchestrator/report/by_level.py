"""Small multiples with one line per level of pruning: a column per method, a row per quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from orchestrator.report import canvas
from orchestrator.report.drawing import Drawing, page_name, pages, save
from orchestrator.report.levels import spread_out
from orchestrator.report.numbers import percent
from orchestrator.report.series import INK, Series

LEVELS = 5
METHODS = 4
FAINTEST = 0.4  # how opaque the least pruned network's line is; the most pruned one's is whole
SEPARATE: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (5, 2))}


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A row of panels.

    Attributes:
        title: of the ordinate, with its unit.
        rows: of pruned networks: method, schedule, level, ratio, x, value; averaged over seeds.
        separate: of the separate network: x, value.
        scale: that values are multiplied by.

    """

    title: str
    rows: pd.DataFrame
    separate: pd.DataFrame
    scale: float = 1.0


def draw(
    quantities: Sequence[Quantity],
    series: Sequence[Series],
    folder: Path,
    name: str,
    *,
    x: str,
    whole: bool = False,
) -> list[Drawing]:
    """Draw a page for every four methods.

    Args:
        quantities: rows of panels.
        series: columns of panels.
        folder: that the files go to.
        name: their stem.
        x: label of the abscissa.
        whole: whether the abscissa has whole numbers alone.

    """
    return [
        _page(quantities, page, folder, page_name(name, number), x, whole)
        for number, page in enumerate(pages(series, METHODS))
    ]


def _page(
    quantities: Sequence[Quantity],
    series: Sequence[Series],
    folder: Path,
    name: str,
    x: str,
    whole: bool,
) -> Drawing:
    handles = [[Line2D([], [], label="separately trained network", **SEPARATE)]]
    grid = canvas.grid(
        len(quantities) * len(series),
        len(series),
        height=1.35 if len(series) > 1 else 1.7,
        gap=(0.42, 0.34),
        head=canvas.legend_height(handles),
        right=0.32,
        share_y="row",
    )
    for place, axes in enumerate(grid.panels):
        row, column = divmod(place, len(series))
        one, quantity = series[column], quantities[row]
        if row == 0:
            axes.set_title(one.label)
        if column == 0:
            axes.set_ylabel(quantity.title)
        if whole:
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        _lines(axes, quantity, one)
    canvas.axis_labels(grid.figure, x, "")
    canvas.legend(grid.figure, handles)
    return save(grid.figure, folder, name)


def _lines(axes: Axes, quantity: Quantity, series: Series) -> None:
    own = series.rows(quantity.rows)
    levels = spread_out(sorted(own["level"].unique().tolist()), LEVELS)
    opacity = np.linspace(FAINTEST, 1, len(levels)) if len(levels) > 1 else [1.0] * len(levels)
    ends = []
    for level, alpha in zip(levels, opacity, strict=True):
        rows = own[own["level"] == level].sort_values("x")
        values = quantity.scale * rows["value"]
        known = values.notna()
        dots = "" if known.all() else "."  # for a value between two that are not there
        looks: dict[str, Any] = {"color": series.color, "alpha": float(alpha), "marker": dots}
        axes.plot(rows["x"], values, linewidth=1.1, **looks)
        if known.any():
            at = float(rows["x"][known].iloc[-1])
            ends.append((at, float(values[known].iloc[-1]), float(rows["ratio"].mean())))
    separate = quantity.separate.sort_values("x")
    axes.plot(separate["x"], quantity.scale * separate["value"], **SEPARATE)
    _name_ends(axes, ends)


def _name_ends(axes: Axes, ends: Sequence[tuple[float, float, float]]) -> None:
    """Write the prune ratio behind the end of each line, apart from each other."""
    low, high = axes.get_ylim()
    ends = sorted(ends, key=lambda end: end[1])
    heights = apart([y for _, y, _ in ends], least=0.075 * (high - low), top=high)
    for (x, _, ratio), height in zip(ends, heights, strict=True):
        axes.annotate(
            f"{percent(ratio, 0)}\u2009%",
            (x, height),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=5.5,
            annotation_clip=False,
        )


def apart(heights: Sequence[float], *, least: float, top: float) -> list[float]:
    """Move ascending heights apart by ``least``, upwards, and down again from ``top``."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + least) if moved else height)
    for place in reversed(range(len(moved))):
        moved[place] = min(moved[place], top)
        top = moved[place] - least
    return moved
