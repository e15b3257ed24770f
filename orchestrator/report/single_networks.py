"""What measures tell of one network by itself, such as latency or singular values, in a table."""

from __future__ import annotations

from math import floor, isfinite, log10

import pandas as pd

from orchestrator.report.cells import Cell, Number, Table
from orchestrator.report.levels import AT_POTENTIAL
from orchestrator.report.part import Part, Scene
from orchestrator.report.series import of_network

DIGITS = 4
UNDER_NOISE = ("accuracy", "prune_potential")
"""What noise similarity tells of single networks; it has figures of its own."""


def part(scene: Scene) -> Part | None:
    """Show every quantity that a network has by itself; nothing where none was measured."""
    own = of_network(scene.found.readings, scene.network)
    alone = (own["part"] == "") & (own["against"] == "") & (own["role"] != "separate")
    single = own[alone & ~own["quantity"].isin(UNDER_NOISE)]
    if single.empty:
        return None
    table = _table(scene, single)
    return Part(name="single", title="Measures of single networks", tables=(table,))


def _table(scene: Scene, frame: pd.DataFrame) -> Table:
    rows: list[tuple[Cell, ...]] = []
    keys = ["measure", "quantity", "at"]
    for (measure, quantity, at), own in frame.groupby(keys, sort=False, dropna=False):
        where = "" if at != at else f" at {at:g}"
        name = f"{str(quantity).replace('_', ' ')}{where}"
        cells = (_number(network) for _, network in scene.networks(own))
        rows.append((name, _short(str(measure), frame), *cells))
    header = ("quantity", "measure", *(name for name, _ in scene.networks(frame)))
    caption = f"Measures of {scene.network}, mean over seeds, {AT_POTENTIAL}"
    return Table(f"measures-{scene.stem}", caption, header, tuple(rows))


def _short(measure: str, frame: pd.DataFrame) -> str:
    """Leave the options of a measure out, unless they tell it from another."""
    name = measure.partition("-")[0]
    alike = {one for one in frame["measure"] if one.partition("-")[0] == name}
    return name if len(alike) == 1 else measure


def _number(rows: pd.DataFrame) -> Number:
    value = float(rows["value"].mean())  # NaN of none
    return Number(value=value, unit="plain", decimals=_decimals(value))


def _decimals(value: float) -> int:
    """Say after how many decimals a number has four digits."""
    if not (isfinite(value) and value):
        return 0
    return max(0, DIGITS - 1 - floor(log10(abs(value))))
