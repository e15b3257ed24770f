"""A table and its cells, before they are set in HTML or LaTeX."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import Literal

import pandas as pd

from orchestrator.report.numbers import interval, percent, plain, plain_interval

Unit = Literal["percent", "plain"]


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number with its interval; NaN where it is missing.

    ``strong`` numbers are set in bold, ``shaded`` ones on a tint as deep as they are large.

    Attributes:
        value: shown times 100 if the unit is percent.
        low: lower limit of the interval.
        high: upper limit.
        strong: whether it stands out.
        shaded: whether a tint tells how large it is; for fractions.
        unit: ``percent`` for fractions, ``plain`` for all else.
        decimals: how many are shown.
        mark: a word or sign behind it.

    """

    value: float
    low: float = nan
    high: float = nan
    strong: bool = False
    shaded: bool = False
    unit: Unit = "percent"
    decimals: int = 1
    mark: str = ""

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        column: str = "mean",
        *,
        shaded: bool = False,
        unit: Unit = "percent",
        decimals: int = 1,
    ) -> Number:
        """Take the first of ``rows``: ``column`` with limits ``low`` and ``high``; NaN of none."""
        if rows.empty:
            return cls(value=nan)
        value, low, high = (float(rows[name].iloc[0]) for name in (column, "low", "high"))
        return cls(value=value, low=low, high=high, shaded=shaded, unit=unit, decimals=decimals)

    @property
    def text(self) -> str:
        """The number and its mark."""
        write = percent if self.unit == "percent" else plain
        return f"{write(self.value, self.decimals)} {self.mark}".strip()

    @property
    def interval(self) -> str:
        """Its interval, empty when there is none."""
        write = interval if self.unit == "percent" else plain_interval
        return write(self.low, self.high, self.decimals)

    @property
    def tint(self) -> str:
        """How deep the tint is, from 0 to 100; empty for no tint."""
        return f"{100 * self.value:.0f}" if self.shaded and self.value == self.value else ""

    def set_strong(self, strong: bool) -> Number:
        """Return the same number, standing out or not."""
        return replace(self, strong=strong)


Cell = str | Number


@dataclass(frozen=True)
class Table:
    """A table: the stem of its files, what it shows, its header and its rows."""

    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
