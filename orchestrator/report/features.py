"""Whether the pixels that one network goes by are enough for another: a heat map per method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from orchestrator.report.canvas import WIDTH
from orchestrator.report.drawing import Drawing, page_name, pages, save
from orchestrator.report.levels import spread_out
from orchestrator.report.numbers import percent
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.readings import Measured, by_measure, readings_of, series_of
from orchestrator.report.series import DENSE, INK, PALETTE, Series

LEVELS = 5
DEEPEST = 0.62  # opacity of 1, at which ink can still be read in light and dark
NOTE = (
    "Each row keeps the pixels that one network needs most, chosen by BackSelect for the class "
    "that it predicts itself; each column predicts from them. Cells: mean confidence in the "
    "true class, in percent. The last row and column are of the parent of another seed."
)
Key = tuple[str, int]


def part(scene: Scene) -> Part | None:
    """Show the heat map of each method, where informative features were measured."""
    frame = readings_of(scene, "confidence")
    if not series_of(scene, frame):
        return None
    figures = tuple(_figure(scene, one) for one in by_measure(frame))
    return Part(name="features", title="Informative features", figures=figures, note=NOTE)


def _figure(scene: Scene, found: Measured) -> Figure:
    name = f"features-{found.file}{scene.stem}"
    return Figure(
        drawings=[
            _page(found.rows, page, scene, page_name(name, number))
            for number, page in enumerate(pages(series_of(scene, found.rows), 2))
        ],
        what=f"Heat maps: confidence from informative features for {scene.network}{found.told}",
        caption="Confidence in the true class from the most informative pixels of another network"
        f"{found.told}. Means over images and seeds.",
    )


def _page(frame: pd.DataFrame, series: Sequence[Series], scene: Scene, name: str) -> Drawing:
    side, left, top, gap = 2.25, 0.75, 0.36, 0.72
    height = side + top + 0.62
    figure = Canvas(figsize=(WIDTH, height))
    for place, one in enumerate(series):
        box = (left + place * (side + gap), 0.62, side, side)
        axes = figure.add_axes(tuple(np.divide(box, (WIDTH, height, WIDTH, height))))
        _heat_map(axes, frame, one, first=place == 0)
    x = left + len(series) * (side + gap) - gap + 0.25
    box = (x, 0.62, 0.12, side)
    _color_bar(figure.add_axes(tuple(np.divide(box, (WIDTH, height, WIDTH, height)))))
    return save(figure, scene.folder, name)


def _heat_map(axes: Axes, frame: pd.DataFrame, series: Series, *, first: bool) -> None:
    keys, names = _subjects(frame, series)
    matrix = _matrix(frame, series, keys)
    for (row, column), value in np.ndenumerate(matrix):
        if np.isnan(value):
            continue
        face = (PALETTE[0], DEEPEST * value)
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=face, linewidth=0))
        text = percent(value, 0)
        axes.text(column, row, text, ha="center", va="center", fontsize=6.5)
    axes.set_xlim(-0.5, len(keys) - 0.5)
    axes.set_ylim(len(keys) - 0.5, -0.5)
    axes.set_xticks(range(len(keys)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(keys)), names)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(series.label)
    axes.set_xlabel("predicted by")
    if first:
        axes.set_ylabel("pixels chosen by")


def _subjects(frame: pd.DataFrame, series: Series) -> tuple[list[Key], list[str]]:
    """List parent, some levels and the separate network, with their names."""
    pruned = series.rows(frame[frame["role"] == "pruned"])
    ratios = pruned.groupby("level")["ratio"].mean()
    levels = spread_out(ratios.index.tolist(), LEVELS)
    keys: list[Key] = [("parent", 0), *(("pruned", level) for level in levels)]
    names = ["parent", *(f"{percent(ratios[level], 0)}\u2009%" for level in levels)]
    if (frame["role"] == "separate").any():
        keys.append(("separate", 0))
        names.append("separate")
    return keys, names


def _matrix(frame: pd.DataFrame, series: Series, keys: Sequence[Key]) -> NDArray[np.float64]:
    own = pd.concat([series.rows(frame), frame[frame["method"] == DENSE]])
    by = ["role", "level", "against", "against_level"]
    means = own.groupby(by)["value"].mean().to_dict()
    return np.array([[means.get((*row, *column), np.nan) for column in keys] for row in keys])


def _color_bar(axes: Axes) -> None:
    steps = np.linspace(0, 1, 50, endpoint=False)
    for low in steps:
        face = (PALETTE[0], DEEPEST * (low + 0.01))
        axes.add_patch(Rectangle((0, low), 1, 0.02, facecolor=face, linewidth=0, aa=False))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xticks([])
    axes.set_yticks([0, 0.5, 1], ["0", "50", "100"])
    axes.yaxis.tick_right()
    axes.grid(visible=False)
    axes.set_title("%", color=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
