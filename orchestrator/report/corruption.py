"""The mean corruption error of pruned networks, in units of their parents'."""

from __future__ import annotations

import pandas as pd

from orchestrator.report.cells import Number, Table
from orchestrator.report.levels import by_level
from orchestrator.report.part import Part, Scene
from orchestrator.report.series import of_network

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
        _table(scene, rows, str(source)) for source, rows in mean.groupby("source", sort=False)
    )
    return Part(name="corruption", title="Mean corruption error", tables=tables, note=NOTE)


def _table(scene: Scene, rows: pd.DataFrame, source: str) -> Table:
    keys = ["method", "schedule", "level"]
    on = f" on {source}" if source else ""
    return by_level(
        rows.groupby(keys, as_index=False)[["ratio", "corruption_error"]].mean(),
        scene.context,
        "-".join(filter(None, ("corruption-error", source, scene.stem))),
        f"Mean corruption error of {scene.network}{on} in percent of its parent’s",
        lambda row: Number(value=float(row["corruption_error"])),
    )
