"""Beyond accuracy: calibration, the worst class, and agreement with the parent."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from orchestrator.report import panels
from orchestrator.report.cells import Number, Table
from orchestrator.report.levels import AT_POTENTIAL, ratio_cell
from orchestrator.report.panels import Panel
from orchestrator.report.part import Figure, Part, Scene
from orchestrator.report.series import of_network

SHOWN = {
    "ece": "calibration error (%)",
    "worst_recall": "worst-class recall (%)",
    "agreement": "agreement with parent (%)",
    "wrong_if_parent_right": "wrong, parent right (%)",
}
PLAIN = ("nll", "brier")
TOLD = {
    "error": "error",
    "ece": "ECE",
    "worst_recall": "worst class",
    "agreement": "agreement",
    "wrong_if_parent_right": "wrong | parent right",
}
FOLDED = {
    "nll": "NLL",
    "brier": "Brier",
    "error_overlap": "error overlap",
    "newly_right": "newly right",
    "recall_range": "recall range",
    "recall_deviation": "recall deviation",
}
SIDES = {"train": "train distribution", "test": "shifted tasks"}
NOTE = (
    "ECE: expected calibration error in 15 bins; NLL in nats; Brier over all classes, from 0 to 2. "
    "Agreement: share of images with the same prediction as the parent’s. Error overlap: both "
    "wrong over either wrong. Newly right: pruned right, parent wrong. Recall range and deviation: "
    "largest less smallest recall of a class, and the standard deviation over classes. Means over "
    "the tasks of a distribution, then over seeds. Intervals cover seeds and test images, and the "
    "images alone for one seed; those of ECE and recall take the images as they are, and one seed "
    "has none."
)


def part(scene: Scene) -> Part | None:
    """Show what accuracy hides; nothing where nothing was measured by class."""
    means = of_network(scene.found.distribution_means, scene.network)
    if means.empty or scene.network in scene.context.segmented:
        return None
    sides = [side for side in SIDES if (means["distribution"] == side).any()]
    wanted = [
        Panel(
            title=f"{title}\n{SIDES[side]}",
            rows=means[(means["metric"] == metric) & (means["distribution"] == side)],
        )
        for side in sides
        for metric, title in SHOWN.items()
    ]
    name = f"agreement-{scene.stem}"
    figure = Figure(
        drawings=panels.draw(wanted, scene.context, scene.folder, name),
        what=f"Curves: calibration and agreement with the parent for {scene.network}",
        caption="Calibration, the worst class and agreement over achieved prune ratio, with "
        "intervals.",
    )
    tables = [_table(scene, means, side, TOLD, "agreement") for side in sides]
    folded = [_table(scene, means, side, FOLDED, "likelihood") for side in sides]
    return Part(
        name="agreement",
        title="Calibration and agreement",
        figures=(figure,) if figure.drawings else (),
        tables=tuple(table for table in tables if table.rows),
        folded=tuple(table for table in folded if table.rows),
        note=NOTE,
    )


def _table(
    scene: Scene, means: pd.DataFrame, side: str, columns: Mapping[str, str], name: str
) -> Table:
    here = means[means["distribution"] == side]
    rows = tuple(
        (label, ratio_cell(own), *(_number(own, metric) for metric in columns))
        for label, own in scene.networks(here)
        if len(own)
    )
    units = "in percent, but for NLL and Brier" if "nll" in columns else "in percent"
    caption = f"{scene.network} on the {SIDES[side]}, {AT_POTENTIAL}; {units}"
    header = ("network", "prune ratio", *columns.values())
    return Table(f"{name}-{side}-{scene.stem}", caption, header, rows)


def _number(rows: pd.DataFrame, metric: str) -> Number:
    own = rows[rows["metric"] == metric]
    if metric in PLAIN:
        return Number.of(own, unit="plain", decimals=3)
    return Number.of(own)
