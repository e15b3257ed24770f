"""What measures found, averaged over seeds and ready to be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from orchestrator.report.by_level import Quantity
from orchestrator.report.part import Scene
from orchestrator.report.series import Series, of_network, present

SERIES = ["method", "schedule", "level"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one measure found.

    Attributes:
        rows: its readings.
        told: for the end of a caption, which measure it was; nothing if there is no other.
        file: for the name of a file, what tells it from that of the first measure.

    """

    rows: pd.DataFrame
    told: str
    file: str


def by_measure(frame: pd.DataFrame) -> Iterator[Measured]:
    """Part readings by measure: with other options it is another one, and no mean is of both."""
    labels = frame["measure"].unique().tolist()
    for number, label in enumerate(labels, start=1):
        yield Measured(
            rows=frame[frame["measure"] == label],
            told=f" ({label})" if len(labels) > 1 else "",
            file=f"{number}-" if number > 1 else "",
        )


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
