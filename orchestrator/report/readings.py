"""What measures found, averaged over seeds and ready to be drawn."""

from __future__ import annotations

import pandas as pd

from orchestrator.report.by_level import Quantity
from orchestrator.report.part import Scene
from orchestrator.report.series import Series, of_network, present

SERIES = ["method", "schedule", "level"]


def readings_of(scene: Scene, *quantities: str) -> pd.DataFrame:
    """Return the readings of one network that are called one of ``quantities``."""
    own = of_network(scene.found.readings, scene.network)
    return own[own["quantity"].isin(quantities)]


def series_of(scene: Scene, frame: pd.DataFrame) -> tuple[Series, ...]:
    """List the methods that pruned networks of ``frame`` were made by."""
    return present(frame[frame["role"] == "pruned"], scene.context)


def quantity(frame: pd.DataFrame, title: str, x: str, scale: float = 1.0) -> Quantity:
    """Average readings against the parent over seeds, as functions of the column ``x``."""
    own = frame[frame["against"] == "parent"].rename(columns={x: "x"})
    pruned = own[own["role"] == "pruned"]
    separate = own[own["role"] == "separate"]
    return Quantity(
        title=title,
        rows=pruned.groupby([*SERIES, "x"], as_index=False)[["ratio", "value"]].mean(),
        separate=separate.groupby("x", as_index=False)[["value"]].mean(),
        scale=scale,
    )
