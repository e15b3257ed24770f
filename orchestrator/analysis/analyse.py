"""The whole analysis of a sweep: one tidy table of cells in, the tables of the report out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from orchestrator.analysis.blocks import DENSE, blocks
from orchestrator.analysis.curves import curves
from orchestrator.analysis.excess_tables import excess_tables
from orchestrator.analysis.potential import RULES, Rule
from orchestrator.analysis.potential_tables import Potentials, by_parent, per_task, summary

NAME = {"network": "str", "method": "str", "schedule": "str"}
TASK = {"task": "str", "distribution": "str"}
MARGIN = {"delta": "float64", "rule": "str"}
LIMITS = {"low": "float64", "high": "float64"}
PARENTS = {"parents": "int64"}
POINT = {"level": "int64", "ratio": "float64", "accuracy": "float64"}
POTENTIAL = MARGIN | {"potential": "float64"}
COLUMNS: dict[str, dict[str, str]] = {
    "curves": NAME | TASK | POINT | LIMITS | PARENTS,
    "potentials": NAME | TASK | POTENTIAL | LIMITS | PARENTS,
    "by_parent": NAME | {"seed": "int64"} | TASK | POTENTIAL,
    "summary": NAME | {"distribution": "str", "statistic": "str"} | POTENTIAL | LIMITS | PARENTS,
    "excess": NAME | {"seed": "int64", "level": "int64", "ratio": "float64", "excess": "float64"},
    "slopes": NAME | {"slope": "float64"} | LIMITS | PARENTS | {"points": "int64"},
    "bands": NAME | {"ratio": "float64", "excess": "float64"} | LIMITS,
}


@dataclass(frozen=True)
class AnalysisOptions:
    """What to compute.

    Attributes:
        deltas: margins δ of absolute error; 0.005 is half a point.
        confidence: of all intervals.
        rule: the headline rule for the prune potential; both are always computed.
        resamples: bootstrap test sets.
        seed: of the resampling; the same cells and seed give the same bits.

    """

    deltas: tuple[float, ...] = (0.005,)
    confidence: float = 0.95
    rule: Rule = "any"
    resamples: int = 2000
    seed: int = 0


@dataclass(frozen=True)
class Results:
    """The tables of a sweep; each has its columns even where it has no rows.

    ``parents`` counts the parents behind a row. Where it is 1, the interval knows only the test
    examples, not how another seed would have done.

    Attributes:
        curves: mean accuracy by level and task; method ``dense`` and level 0 are the parents.
        potentials: mean prune potential by task, δ and rule.
        by_parent: the same for each parent, without interval.
        summary: ``mean`` and ``minimum`` of the potential over the tasks of a distribution.
        excess: excess error, one row per pruned network.
        slopes: slope of the excess error on the prune ratio, through the origin.
        bands: the fitted lines at 100 ratios.
        options: what was asked for.

    """

    curves: pd.DataFrame
    potentials: pd.DataFrame
    by_parent: pd.DataFrame
    summary: pd.DataFrame
    excess: pd.DataFrame
    slopes: pd.DataFrame
    bands: pd.DataFrame
    options: AnalysisOptions


def analyse(cells: pd.DataFrame, options: AnalysisOptions) -> Results:
    """Compute every table of the report from the cells of a sweep, whole or partial.

    Args:
        cells: one row per network and task, in any order, with the columns network, seed, method
            (``dense`` for the parent), schedule, level (0 for the parent), achieved_ratio, task,
            distribution (``train`` or ``test``) and correct (a bool array over the test examples,
            or a float64 array whose mean is the accuracy).
        options: what to compute.

    Raises:
        ValueError: two rows stand for the same cell, or one task has test sets of several sizes.

    """
    rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in COLUMNS}
    for block in blocks(cells, options.resamples, options.seed):
        rows["curves"] += curves(block, options.confidence)
        if block.method == DENSE or len(block.levels) == 1:
            continue
        for delta in options.deltas:
            for rule in RULES:
                found = Potentials(block, delta, rule)
                rows["by_parent"] += by_parent(block, found, delta, rule)
                rows["potentials"] += per_task(block, found, delta, rule, options.confidence)
                rows["summary"] += summary(block, found, delta, rule, options.confidence)
        excess = excess_tables(block, options.confidence)
        rows["excess"] += excess.points
        rows["slopes"] += excess.slopes
        rows["bands"] += excess.bands
    return Results(**{table: _frame(table, rows[table]) for table in COLUMNS}, options=options)


def _frame(table: str, rows: Iterable[tuple[object, ...]]) -> pd.DataFrame:
    """Make a table whose columns and types do not depend on whether it has rows."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS[table])).astype(COLUMNS[table])
