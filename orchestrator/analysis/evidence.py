"""What the tables of a sweep say about one method on one network, as estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from orchestrator.analysis.analyse import Results
from orchestrator.analysis.blocks import DENSE
from orchestrator.analysis.estimates import Estimate, Verdict

NAME = ["network", "method", "schedule"]
LIMITS = ["low", "high"]


@dataclass(frozen=True)
class Series:
    """What one method did to one network under one schedule."""

    network: str
    method: str
    schedule: str

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of ``table`` that are about it."""
        here = (table["network"] == self.network) & (table["schedule"] == self.schedule)
        return table[here & (table["method"] == self.method)]


@dataclass(frozen=True)
class Finding:
    """Whether something expected was found, about what, and the numbers on one line.

    The method is empty where several are compared.
    """

    expected: str
    about: Series
    verdict: Verdict
    numbers: str


@dataclass(frozen=True)
class Progress:
    """How many levels of all seeds are measured on all tasks, and how many are planned."""

    there: int
    planned: int


@dataclass(frozen=True)
class Level:
    """The mean accuracy at one level, at its mean achieved prune ratio."""

    ratio: float
    accuracy: Estimate


@dataclass(frozen=True)
class Evidence:
    """The results of a sweep, read at their first δ and their headline rule.

    Attributes:
        results: of the sweep.
        units: what each method prunes, by its label: ``weight``, ``filter`` or ``channel``. A
            control, which prunes nothing, is not in it.
        against: of a sweep to compare with, its networks and methods named alike.
        progress: of all that the sweep plans; empty if the sweep is what the results have.

    """

    results: Results
    units: Mapping[str, str] = field(default_factory=dict)
    against: Evidence | None = None
    progress: Mapping[Series, Progress] = field(default_factory=dict)

    @property
    def delta(self) -> float:
        """The margin δ of the potentials."""
        return self.results.options.deltas[0]

    @property
    def every(self) -> list[Series]:
        """All that the sweep is about, controls included."""
        if self.progress:
            return list(self.progress)
        names = self.results.curves[NAME].drop_duplicates()
        found = [Series(*name) for name in names.itertuples(index=False, name=None)]
        return [series for series in found if series.method != DENSE]

    def series(self, *units: str) -> list[Series]:
        """List what was pruned, by methods that prune one of ``units``; by any if none is named."""
        wanted = units or set(self.units.values())
        return [series for series in self.every if self.units.get(series.method) in wanted]

    def behind(self, about: Series) -> list[Series]:
        """List what a finding rests on: a series, or all of a network and schedule."""
        if about.method:
            return [about] if about in self.every else []
        return [series for series in self.series() if replace(series, method="") == about]

    def lacking(self, about: Series) -> str:
        """Say how many levels there are of what a finding is about; nothing if all are there."""
        known = [self.progress[one] for one in self.behind(about) if one in self.progress]
        there, planned = sum(one.there for one in known), sum(one.planned for one in known)
        return f"{there} of {planned} levels are there" if there < planned else ""

    def parents(self, about: Series) -> int:
        """Return how many seeds there are of what a finding is about, at least; 0 if none."""
        curves = self.results.curves
        counts = [series.rows(curves)["parents"].max() for series in self.behind(about)]
        return int(min((count for count in counts if count == count), default=0))

    def potentials(self, series: Series) -> dict[str, Estimate]:
        """Return the prune potential by task."""
        return _estimates(self._headline(series, self.results.potentials), "task", "potential")

    def averages(self, series: Series, statistic: str = "mean") -> dict[str, Estimate]:
        """Return the ``mean`` or ``minimum`` potential over tasks, by distribution."""
        rows = self._headline(series, self.results.summary)
        rows = rows[rows["statistic"] == statistic]
        return _estimates(rows, "distribution", "potential")

    def slope(self, series: Series) -> Estimate | None:
        """Return the slope of the excess error, if there is one."""
        rows = series.rows(self.results.slopes)
        return _estimates(rows, "method", "slope").get(series.method)

    def levels(self, series: Series, task: str) -> list[Level]:
        """Return the parents and then each level that was tested on ``task``, by ratio."""
        curves = self.results.curves[self.results.curves["task"] == task]
        both = pd.concat(
            [Series(series.network, DENSE, "").rows(curves), series.rows(curves)]
        ).sort_values("level")
        columns = both[["ratio", "accuracy", *LIMITS]].itertuples(index=False, name=None)
        found = [Level(ratio, Estimate(*accuracy)) for ratio, *accuracy in columns]
        return found if len(both) > 1 and both["level"].iloc[0] == 0 else []

    def _headline(self, series: Series, table: pd.DataFrame) -> pd.DataFrame:
        rule = self.results.options.rule
        rows = series.rows(table)
        return rows[(rows["delta"] == self.delta) & (rows["rule"] == rule)]


def _estimates(rows: pd.DataFrame, key: str, value: str) -> dict[str, Estimate]:
    columns = rows[[key, value, *LIMITS]].itertuples(index=False, name=None)
    return {name: Estimate(*numbers) for name, *numbers in columns}
