"""The mean corruption error of pruned networks, in units of their parents'."""

from __future__ import annotations

import pandas as pd

from orchestrator.report.cells import Number, Table
from orchestrator.report.levels import by_level
from orchestrator.report.part import Part, Scene
from orchestrator.report.series import of_network

COLUMNS = (
    ("corruption_error", "corruption-error", "Mean corruption error", " of its parent’s"),
    ("error", "corrupted", "Plain mean error under corruptions", ""),
)
"""Column, stem of the file, what it is and in what unit."""
NOTE = (
    "mCE (Hendrycks and Dietterich 2019): the errors under a corruption, summed over its "
    "severities, in percent of those of the network’s own parent, which takes the place of "
    "AlexNet; then the mean over corruptions and seeds. Below 100 the pruned network errs less."
)


def part(scene: Scene) -> Part | None:
    """Show mCE over the levels, of generated corruptions and of each published set."""
    frame = of_network(scene.found.corruption_error, scene.network)
    mean = frame[(frame["corruption"] == "mCE") & frame["corruption_error"].notna()]
    if mean.empty:
        return None
    tables = tuple(
        _table(scene, rows, str(source), *what)
        for source, rows in mean.groupby("source", sort=False)
        for what in COLUMNS
    )
    return Part(name="corruption", title="Mean corruption error", tables=tables, note=NOTE)


def _table(
    scene: Scene, rows: pd.DataFrame, source: str, column: str, stem: str, what: str, unit: str
) -> Table:
    keys = ["method", "schedule", "level"]
    on = f" on {source}" if source else ""
    return by_level(
        rows.groupby(keys, as_index=False)[["ratio", column]].mean(),
        scene.context,
        "-".join(filter(None, (stem, source, scene.stem))),
        f"{what} of {scene.network}{on} in percent{unit}",
        lambda row: Number(value=float(row[column])),
    )
