"""What else was measured of single networks: one number each, in a table."""

from __future__ import annotations

from math import floor, isfinite, log10

import pandas as pd

from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.part import Part, Scene
from orchestrator.report.series import of_network

DIGITS = 4
UNDER_NOISE = ("accuracy", "prune_potential")
"""What noise similarity tells of single networks; it has figures of its own."""


def part(scene: Scene) -> Part | None:
    """Show every quantity that a network has by itself, such as singular values or latency.

    The pruned networks are those at the level nearest to their prune potential on the train
    distribution.
    """
    own = of_network(scene.found.readings, scene.network)
    alone = (own["part"] == "") & (own["against"] == "") & ~own["quantity"].isin(UNDER_NOISE)
    single = own[alone]
    if single.empty:
        return None
    table = _table(scene, single)
    return Part(name="costs", title="Measures of single networks", tables=(table,))


def _table(scene: Scene, frame: pd.DataFrame) -> Table:
    series = [one for one in scene.within if len(one.rows(frame))]
    header = ("quantity", "measure", "parent", *(one.label for one in series))
    rows = []
    keys = ["measure", "quantity", "at"]
    for (measure, quantity, at), own in frame.groupby(keys, sort=False, dropna=False):
        dense = own[own["role"] == "parent"]
        cells = [_cell(dense)]
        for one in series:
            pruned = one.rows(own[own["role"] == "pruned"])
            cells.append(_cell(pruned[pruned["level"] == scene.within[one]]))
        where = "" if at != at else f" at {at:g}"
        rows.append(
            (f"{str(quantity).replace('_', ' ')}{where}", _short(str(measure), frame), *cells)
        )
    caption = (
        f"Measures of {scene.network}, mean over seeds; pruned networks at the level nearest to "
        "each method’s prune potential on the train distribution"
    )
    return Table(f"measures-{scene.stem}", caption, header, tuple(rows))


def _short(measure: str, frame: pd.DataFrame) -> str:
    """Leave the options of a measure out, unless they tell it from another."""
    name = measure.partition("-")[0]
    alike = {one for one in frame["measure"] if one.partition("-")[0] == name}
    return name if len(alike) == 1 else measure


def _cell(rows: pd.DataFrame) -> Cell:
    if rows.empty:
        return ""
    value = float(rows["value"].mean())
    return Number(value=value, unit="plain", decimals=_decimals(value))


def _decimals(value: float) -> int:
    """Say after how many decimals a number has four digits."""
    if not (isfinite(value) and value):
        return 0
    return max(0, DIGITS - 1 - floor(log10(abs(value))))
