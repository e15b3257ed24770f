"""One series per method and schedule: its name and looks, the same in every figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orchestrator.report.context import ReportContext

# Okabe & Ito (2008), "Color Universal Design"; black is the ink, yellow is darkened for paper.
INK = "#010203"
PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    INK,
    "#b8a600",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">")
LINES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "-",
    (0, (4, 1.5)),
    (0, (1, 1.8)),
    (0, (5, 1.2, 1, 1.2)),
    (0, (8, 2.5)),
    (0, (1, 0.7)),
)
SHADES = (0.8, 0.05, 0.45, 0.2, 0.62, 0.32)
SHADE = 0.4  # of bars where there is one schedule
DENSE = "dense"  # the method that the rows of the parents carry


@dataclass(frozen=True, kw_only=True)
class Series:
    """How one method under one schedule is called and drawn.

    The colour tells the method. Where there are several schedules, line, marker and ``shade`` (how
    opaque a bar is) tell the schedule; where there is one, the marker tells the method once more.
    """

    method: str
    schedule: str
    label: str
    color: str
    marker: str
    line: str | tuple[int, tuple[float, ...]]
    filled: bool
    shade: float

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of this series."""
        chosen = (frame["method"] == self.method) & (frame["schedule"] == self.schedule)
        return frame[chosen]


def series_of(context: ReportContext) -> tuple[Series, ...]:
    """List the series of a sweep, method by method; the place in the sweep fixes the looks."""
    return tuple(
        Series(
            method=method,
            schedule=schedule,
            label=_label(method, schedule, context),
            color=PALETTE[place % len(PALETTE)],
            **_looks(place, rank, len(context.schedules)),
        )
        for place, method in enumerate(context.methods)
        for rank, schedule in enumerate(context.schedules)
    )


def several_schedules(series: Sequence[Series]) -> bool:
    """Tell whether colours alone would leave some of ``series`` alike."""
    return len({one.schedule for one in series}) > 1


def present(frame: pd.DataFrame, context: ReportContext) -> tuple[Series, ...]:
    """List the series that ``frame`` has rows of."""
    return tuple(series for series in series_of(context) if not series.rows(frame).empty)


def tasks_of(frame: pd.DataFrame, context: ReportContext) -> Iterator[tuple[str, str]]:
    """Yield (task, distribution) of ``frame``: train distribution first, then sweep order."""
    pairs = frame[["task", "distribution"]].drop_duplicates()
    for distribution in ("train", "test"):
        here = set(pairs.loc[pairs["distribution"] == distribution, "task"])
        yield from ((task, distribution) for task in context.tasks if task in here)


def of_network(frame: pd.DataFrame, network: str) -> pd.DataFrame:
    """Return the rows of one network."""
    return frame[frame["network"] == network]


def headline(frame: pd.DataFrame, context: ReportContext) -> pd.DataFrame:
    """Return the rows at the δ and the rule that the report shows first."""
    return frame[(frame["delta"] == context.delta) & (frame["rule"] == context.rule)]


def _looks(place: int, rank: int, schedules: int) -> dict[str, Any]:
    """Choose what tells the schedule at ``rank``; the second turn of the palette differs too."""
    turn = place // len(PALETTE)
    if schedules == 1:
        marker = MARKERS[place % len(MARKERS)]
        return {
            "marker": marker,
            "line": LINES[turn % len(LINES)],
            "filled": True,
            "shade": SHADE,
        }
    style = rank + schedules * turn
    return {
        "marker": MARKERS[style % len(MARKERS)],
        "line": LINES[style % len(LINES)],
        "filled": (style + style // len(LINES)) % 2 == 0,
        "shade": SHADES[style % len(SHADES)],
    }


def _label(method: str, schedule: str, context: ReportContext) -> str:
    if len(context.schedules) == 1:
        return method
    order, dash, retraining = schedule.partition("-")
    told = order.replace("_", "-") + dash.replace("-", ", ") + retraining.replace("-", " ", 1)
    return f"{method} ({told})"
