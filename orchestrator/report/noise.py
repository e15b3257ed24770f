"""How alike functions are under noise, and how far networks can be pruned under it."""

from __future__ import annotations

import pandas as pd
from matplotlib.lines import Line2D

from orchestrator.report import by_level, canvas
from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.curves import BAND
from orchestrator.report.drawing import Drawing, save
from orchestrator.report.levels import spread_out
from orchestrator.report.numbers import points
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.readings import quantity, readings_of, series_of
from orchestrator.report.series import of_network, present
from orchestrator.robustness.means import over_seeds

X = "noise level ε"
COLUMNS = 8
NOTE = (
    "Uniform noise from [−ε, ε] is added to normalised test images. A network that was trained "
    "separately is the yardstick: a pruned network that is more alike has more of the parent in it "
    "than data and recipe alone explain."
)
UNLIKE = (
    " The prune potential of this part comes {source}. Even at ε = 0 it is not the one at the top, "
    "which comes from all test images at δ = {delta}."
)


def part(scene: Scene) -> Part | None:
    """Show matching labels, softmax distance and prune potential over ε, if measured."""
    matching = readings_of(scene, "matching_labels")
    distance = readings_of(scene, "softmax_distance")
    if matching.empty:
        return None
    quantities = [
        quantity(matching, "matching labels (%)", "at", 100),
        quantity(distance, "softmax distance", "at"),
    ]
    drawn = by_level.draw(
        quantities, series_of(scene, matching), scene.folder, f"noise-{scene.stem}", x=X
    )
    figures = [
        Figure(
            drawings=drawn,
            what=f"Curves: similarity to the parent under noise for {scene.network}",
            caption="Agreement with the parent under input noise; numbers are prune ratios, the "
            "dashed line is the parent of another seed. Means over seeds.",
        )
    ]
    frame = readings_of(scene, "prune_potential")
    potentials, source = _potentials(frame, scene), _source(frame, scene)
    if not potentials.empty:
        figures.append(
            Figure(
                drawings=[_draw_potentials(scene, potentials)],
                what=f"Curves: prune potential over noise for {scene.network}",
                caption=f"Prune potential over the noise level, {source}, mean over seeds with "
                "interval.",
            )
        )
    table, delta = _table(scene, potentials, source), points(scene.context.delta)
    return Part(
        name="noise",
        title="Similarity under noise",
        figures=tuple(figures),
        tables=(table,) if table.rows else (),
        note=NOTE + (UNLIKE.format(source=source, delta=delta) if table.rows else ""),
    )


def _source(frame: pd.DataFrame, scene: Scene) -> str:
    """Say how many images potentials come from, and at which margin."""
    metrics = of_network(scene.found.metrics, scene.network)
    examples = metrics.loc[metrics["distribution"] == "train", "examples"].tolist()
    found = []
    for measure in frame["measure"].unique():
        options = scene.context.measures.get(measure, {})
        if {"images", "delta"} <= options.keys():
            images = min([options["images"], *examples[:1]])
            of = f" of {examples[0]:,}" if examples and images < examples[0] else ""
            found.append(f"from {images:,}{of} test images at δ = {points(options['delta'])}")
    return " and ".join(found) or "from the test images that the measure looks at"


def _potentials(frame: pd.DataFrame, scene: Scene) -> pd.DataFrame:
    """Average over seeds: method, schedule, at, mean, low, high."""
    means = over_seeds(frame, ("value",), scene.context.confidence, ("at",), (0.0, 1.0))
    return means.sort_values("at")


def _draw_potentials(scene: Scene, potentials: pd.DataFrame) -> Drawing:
    series = present(potentials, scene.context)
    handles = [[Line2D([], [], label=one.label, **canvas.line_style(one)) for one in series]]
    grid = canvas.grid(1, 1, height=1.5, head=canvas.legend_height(handles) - 0.12)
    (axes,) = grid.panels
    for one in series:
        rows = one.rows(potentials)
        limits = 100 * rows[["low", "high"]].astype(float)
        opacity = min(BAND, 4 * BAND / len(series))
        axes.fill_between(
            rows["at"], limits["low"], limits["high"], color=one.color, alpha=opacity, linewidth=0
        )
        axes.plot(rows["at"], 100 * rows["mean"], clip_on=False, **canvas.line_style(one))
    axes.set_ylim(0, 100)
    axes.set_ylabel("prune potential (%)")
    canvas.axis_labels(grid.figure, X, "")
    canvas.legend(grid.figure, handles)
    return save(grid.figure, scene.folder, f"noise-potential-{scene.stem}")


def _table(scene: Scene, potentials: pd.DataFrame, source: str) -> Table:
    levels = spread_out(sorted(potentials["at"].unique().tolist()), COLUMNS)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.label, *(_number(own[own["at"] == level]) for level in levels))
        for one in present(potentials, scene.context)
        for own in [one.rows(potentials)]
    )
    caption = f"Prune potential of {scene.network} in percent under noise of level ε, {source}"
    return Table(
        f"noise-{scene.stem}", caption, ("method", *(f"ε = {level:g}" for level in levels)), rows
    )


def _number(rows: pd.DataFrame) -> Number:
    return Number(value=float(rows["mean"].mean()), shaded=True)  # NaN of none
