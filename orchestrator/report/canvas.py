"""What all figures share: one look, panels that share their axes, legends above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from orchestrator.report.series import INK, Series

WIDTH = 6.75  # inches: the text width of a two-column paper
LEGEND_ROW = 0.16

Handle = Artist | tuple[Artist, ...]
"""What a legend shows beside a label; of several on top of each other, the first has the label."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.titlepad": 3,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.15,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 2.8,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "figure.facecolor": "none",
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "text.parse_math": False,  # a task called a$b$ is no formula
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK
    ),
    "grid.color": INK,
}


@dataclass(frozen=True)
class Grid:
    """Small multiples: a figure, and its panels row by row."""

    figure: Figure
    panels: list[Axes]


@contextmanager
def style(salt: str) -> Iterator[None]:
    """Draw and save in the look of the report; ``salt`` makes the ids of the SVG repeatable."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**STYLE, "svg.hashsalt": salt})
        yield


def grid(
    count: int,
    columns: int,
    *,
    height: float,
    gap: tuple[float, float] = (0.12, 0.3),
    head: float,
    foot: float = 0.36,
    right: float = 0.08,
    share_y: Literal["all", "row", "col"] = "all",
) -> Grid:
    """Lay out ``count`` panels that share their abscissa; all lengths in inches.

    Args:
        count: number of panels.
        columns: panels per row.
        height: of one panel.
        gap: between panels, (horizontal, vertical).
        head: room above the panels for the legend.
        foot: room below them for ticks and label.
        right: room beside the last column.
        share_y: which panels share their ordinate too.

    """
    rows = -(-count // columns)
    left = 0.48
    total = head + foot + 0.2 + rows * height + (rows - 1) * gap[1]
    figure = Figure(figsize=(WIDTH, total))
    FigureCanvasAgg(figure)
    width = (WIDTH - left - right - (columns - 1) * gap[0]) / columns
    axes = figure.subplots(
        rows,
        columns,
        sharex=True,
        sharey=share_y,
        squeeze=False,
        gridspec_kw={
            "left": left / WIDTH,
            "right": 1 - right / WIDTH,
            "bottom": foot / total,
            "top": 1 - (head + 0.2) / total,
            "wspace": gap[0] / width,
            "hspace": gap[1] / height,
        },
    )
    panels: list[Axes] = list(np.ravel(axes))
    for spare in panels[count:]:
        spare.set_visible(False)
    for place in range(count - columns, count):
        panels[max(place, 0)].xaxis.set_tick_params(labelbottom=True)
    return Grid(figure, panels[:count])


def label(grid: Grid, y: str) -> None:
    """Label the shared axes of a grid whose abscissa is the prune ratio in percent."""
    grid.panels[0].set_xlim(0, 100)
    grid.panels[0].set_xticks([0, 25, 50, 75, 100], ["0", "", "50", "", "100"])
    for axes in grid.panels:
        texts = axes.get_xticklabels()  # none where the panel below carries them
        for text in texts[:1]:
            text.set_horizontalalignment("left")
        for text in texts[-1:]:
            text.set_horizontalalignment("right")
    axis_labels(grid.figure, "prune ratio (%)", y)


def axis_labels(figure: Figure, x: str, y: str) -> None:
    """Label the axes of all panels of a figure at once."""
    size = STYLE["axes.labelsize"]
    figure.supxlabel(x, fontsize=size, y=0.03 / figure.get_figheight(), va="bottom")
    if y:
        figure.supylabel(y, fontsize=size, x=0.005, ha="left")


def legend(figure: Figure, groups: Sequence[Sequence[Handle]]) -> None:
    """Put one legend per group above the panels, each starting a new row."""
    height = figure.get_size_inches()[1]
    top = 0.02
    for handles in filter(None, groups):
        figure.legend(
            handles=list(handles),
            labels=[_label(handle) for handle in handles],
            loc="upper center",
            ncols=_columns(handles),
            bbox_to_anchor=(0.5, 1 - top / height),
            borderaxespad=0,
            borderpad=0.1,
            handlelength=2.4,
            columnspacing=1.6,
        )
        top += _rows(handles) * LEGEND_ROW


def legend_height(groups: Sequence[Sequence[Handle]]) -> float:
    """Room in inches that :func:`legend` takes."""
    return 0.06 + LEGEND_ROW * sum(_rows(handles) for handles in groups)


def _columns(handles: Sequence[Handle]) -> int:
    widest = 0.45 + 0.062 * max(len(_label(handle)) for handle in handles)
    return min(len(handles), max(1, int(WIDTH / widest)))


def _rows(handles: Sequence[Handle]) -> int:
    return -(-len(handles) // _columns(handles)) if handles else 0


def _label(handle: Handle) -> str:
    return str((handle[0] if isinstance(handle, tuple) else handle).get_label())


def line_style(series: Series) -> dict[str, Any]:
    """Keyword arguments of a series drawn as a line."""
    return {
        "color": series.color,
        "linestyle": series.line,
        "marker": series.marker,
        "markerfacecolor": series.color if series.filled else "none",
        "markeredgecolor": series.color,
        "markeredgewidth": 0.6,
    }


def marker_style(series: Series) -> dict[str, Any]:
    """Keyword arguments of a series drawn as points."""
    return {**line_style(series), "linestyle": ""}
