"""What the tables of a sweep say about one method on one network, as estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
class Level:
    """The mean accuracy at one level, at its mean achieved prune ratio."""

    ratio: float
    accuracy: Estimate


@dataclass(frozen=True)
class Evidence:
    """The results of a sweep, read at their first δ and their headline rule.

    Attributes:
        results: of the sweep.
        units: what each method prunes, by its label: ``weight``, ``filter`` or ``channel``.
        against: of a sweep to compare with, its networks and methods named alike.

    """

    results: Results
    units: Mapping[str, str] = field(default_factory=dict)
    against: Evidence | None = None

    @property
    def delta(self) -> float:
        """The margin δ of the potentials."""
        return self.results.options.deltas[0]

    def series(self, *units: str) -> list[Series]:
        """List what was pruned, by methods that prune one of ``units``; by any if none is named."""
        names = self.results.curves[NAME].drop_duplicates()
        return [
            Series(*name)
            for name in names.itertuples(index=False, name=None)
            if name[1] != DENSE and (not units or self.units.get(name[1]) in units)
        ]

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
