"""Segmentation class by class: whose IoU pruning costs most."""

from __future__ import annotations

import pandas as pd

from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.levels import AT_POTENTIAL
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
    networks = scene.networks(means)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(label),
            *(Number.of(own[own["class"] == label], shaded=True) for _, own in networks),
        )
        for label in sorted(means["class"].unique())
    )
    caption = f"IoU of {scene.network} by class in percent, {AT_POTENTIAL}"
    header = ("class", *(name for name, _ in networks))
    return Table(f"class-iou-{scene.stem}", caption, header, rows)
