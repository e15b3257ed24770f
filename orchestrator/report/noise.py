"""How alike functions are under noise, and how far networks can be pruned under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.lines import Line2D

from orchestrator.report import by_level, canvas
from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.curves import BAND
from orchestrator.report.drawing import Drawing, save
from orchestrator.report.levels import spread_out
from orchestrator.report.numbers import points
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.readings import (
    Measured,
    by_measure,
    quantity,
    readings_of,
    series_of,
)
from orchestrator.report.series import of_network, present
from orchestrator.robustness.means import over_seeds

QUANTITIES = ("matching_labels", "softmax_distance", "prune_potential")
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
    if readings_of(scene, "matching_labels").empty:
        return None
    found = list(by_measure(readings_of(scene, *QUANTITIES)))
    tables = tuple(table for one in found if (table := _table(scene, one)).rows)
    return Part(
        name="noise",
        title="Similarity under noise",
        figures=tuple(figure for one in found for figure in _figures(scene, one)),
        tables=tables,
        note=NOTE + (_unlike(scene, found) if tables else ""),
    )


def _unlike(scene: Scene, found: Sequence[Measured]) -> str:
    """Say how the potentials of this part differ from those at the top."""
    sources = dict.fromkeys(_source(scene, one) for one in found)
    return UNLIKE.format(source=" and ".join(sources), delta=points(scene.context.delta))


def _of(found: Measured, quantity: str) -> pd.DataFrame:
    return found.rows[found.rows["quantity"] == quantity]


def _figures(scene: Scene, found: Measured) -> Iterator[Figure]:
    matching, name = _of(found, "matching_labels"), f"{found.file}{scene.stem}"
    quantities = [
        quantity(matching, "matching labels (%)", "at", 100),
        quantity(_of(found, "softmax_distance"), "softmax distance", "at"),
    ]
    yield Figure(
        drawings=by_level.draw(
            quantities, series_of(scene, matching), scene.folder, f"noise-{name}", x=X
        ),
        what=f"Curves: similarity to the parent under noise for {scene.network}{found.told}",
        caption=f"Agreement with the parent under input noise{found.told}; numbers are prune "
        "ratios, the dashed line is the parent of another seed. Means over seeds.",
    )
    potentials = _potentials(scene, found)
    if not potentials.empty:
        source = _source(scene, found)
        yield Figure(
            drawings=[_draw_potentials(scene, potentials, f"noise-potential-{name}")],
            what=f"Curves: prune potential over noise for {scene.network}{found.told}",
            caption=f"Prune potential over the noise level{found.told}, {source}, mean over seeds "
            "with interval.",
        )


def _source(scene: Scene, found: Measured) -> str:
    """Say how many images potentials come from, and at which margin."""
    options = scene.context.measures.get(str(found.rows["measure"].iloc[0]), {})
    if not {"images", "delta"} <= options.keys():
        return "from the test images that the measure looks at"
    metrics = of_network(scene.found.metrics, scene.network)
    examples = metrics.loc[metrics["distribution"] == "train", "examples"].tolist()
    images = min([options["images"], *examples[:1]])
    of = f" of {examples[0]:,}" if examples and images < examples[0] else ""
    return f"from {images:,}{of} test images at δ = {points(options['delta'])}"


def _potentials(scene: Scene, found: Measured) -> pd.DataFrame:
    """Average over seeds: method, schedule, at, mean, low, high."""
    frame = _of(found, "prune_potential")
    means = over_seeds(frame, ("value",), scene.context.confidence, ("at",), (0.0, 1.0))
    return means.sort_values("at")


def _draw_potentials(scene: Scene, potentials: pd.DataFrame, name: str) -> Drawing:
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
    return save(grid.figure, scene.folder, name)


def _table(scene: Scene, found: Measured) -> Table:
    potentials = _potentials(scene, found)
    levels = spread_out(sorted(potentials["at"].unique().tolist()), COLUMNS)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.label, *(_number(own[own["at"] == level]) for level in levels))
        for one in present(potentials, scene.context)
        for own in [one.rows(potentials)]
    )
    where = f"under noise of level ε{found.told}, {_source(scene, found)}"
    caption = f"Prune potential of {scene.network} in percent {where}"
    header = ("method", *(f"ε = {level:g}" for level in levels))
    return Table(f"noise-{found.file}{scene.stem}", caption, header, rows)


def _number(rows: pd.DataFrame) -> Number:
    return Number(value=float(rows["mean"].mean()), shaded=True)  # NaN of none
