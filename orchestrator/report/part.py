"""A part of what the page says of a network: figures and tables on one question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from orchestrator.report.cells import Table
from orchestrator.report.context import ReportContext
from orchestrator.report.drawing import Drawing
from orchestrator.report.series import DENSE, Series
from orchestrator.robustness.columns import Robustness


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Drawings that share a caption; ``what`` says in a few words what they show."""

    drawings: Sequence[Drawing]
    what: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """Figures, then tables, then notes; ``folded`` tables show when asked for."""

    name: str
    title: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    note: str = ""

    def all_tables(self) -> Iterator[Table]:
        """Yield every table, for the files beside the page."""
        yield from (*self.tables, *self.folded)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the parts of one network are made from.

    Attributes:
        found: tables on robustness of the whole sweep.
        context: of the report.
        network: whose part it is.
        stem: of the names of files.
        folder: that figures go to.
        within: for each series the level up to which it looks harmless: the one nearest to its mean
            prune potential on the train distribution.

    """

    found: Robustness
    context: ReportContext
    network: str
    stem: str
    folder: Path
    within: dict[Series, int]

    def networks(self, frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
        """List what tables tell of, by name: the parent's rows, then each series' ``within``."""
        chosen = [("parent", frame[frame["method"] == DENSE])]
        for series, level in self.within.items():
            own = series.rows(frame)
            chosen.append((series.label, own[own["level"] == level]))
        return chosen
