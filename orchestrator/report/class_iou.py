"""Segmentation class by class: whose IoU pruning costs most."""

from __future__ import annotations

import pandas as pd

from orchestrator.report.cells import Number, Table
from orchestrator.report.part import Part, Scene
from orchestrator.report.series import of_network
from orchestrator.robustness.means import over_seeds


def part(scene: Scene) -> Part | None:
    """Show the IoU of every class on the train distribution; nothing but for segmentation."""
    own = of_network(scene.found.class_iou, scene.network)
    train = own[own["distribution"] == "train"]
    if train.empty:
        return None
    shown = train[train["task"] == train["task"].iloc[0]]
    means = over_seeds(shown, ("iou",), scene.context.confidence, ("class",), (0.0, 1.0))
    return Part(name="classes", title="IoU by class", tables=(_table(scene, means),))


def _table(scene: Scene, means: pd.DataFrame) -> Table:
    columns = {"parent": means[means["method"] == "dense"]}
    for series, level in scene.within.items():
        own = series.rows(means)
        columns[series.label] = own[own["level"] == level]
    rows = tuple(
        (str(label), *(_cell(frame[frame["class"] == label]) for frame in columns.values()))
        for label in sorted(means["class"].unique())
    )
    caption = (
        f"IoU of {scene.network} by class in percent, pruned to the level nearest to each method’s "
        "prune potential on the train distribution"
    )
    return Table(f"class-iou-{scene.stem}", caption, ("class", *columns), rows)


def _cell(rows: pd.DataFrame) -> Number | str:
    if rows.empty:
        return ""
    row = rows.iloc[0]
    value, low, high = (float(row[column]) for column in ("mean", "low", "high"))
    return Number(value=value, low=low, high=high, shaded=True)
