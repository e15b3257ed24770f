"""Many tasks told by family, the worst of them by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from orchestrator.report.context import ReportContext
from orchestrator.report.series import headline, tasks_of
from orchestrator.robustness.families import FAMILIES, family

FEW = 12
"""So many tasks are told one by one; of more, first the families and the worst."""
WORST = 8
TRAIN = "train distribution"
AVERAGED = ("ratio", "accuracy", "potential", "low", "high")


@dataclass(frozen=True)
class Grouped:
    """Potentials and curves in place of those by task, and the context that lists their tasks."""

    potentials: pd.DataFrame
    curves: pd.DataFrame
    context: ReportContext


def family_of(task: str, distribution: str) -> str:
    """Name what a row of a report counts under."""
    return TRAIN if distribution == "train" else family(task)


def by_family(potentials: pd.DataFrame, curves: pd.DataFrame, context: ReportContext) -> Grouped:
    """Average the tasks of each family, and those of the train distribution.

    Limits are averaged like values: however the tasks depend on each other, the standard error of
    their mean is at most the mean of their standard errors. A family that is not measured whole is
    left out.

    Args:
        potentials: rows of ``Results.potentials`` of one network.
        curves: rows of ``Results.curves`` of that network.
        context: of the report.

    """
    return Grouped(
        _averaged(potentials),
        _averaged(curves),
        replace(context, tasks=(TRAIN, *FAMILIES)),
    )


def worst(potentials: pd.DataFrame, curves: pd.DataFrame, context: ReportContext) -> Grouped:
    """Keep the shifted tasks with the smallest potentials, the worst first; arguments as above."""
    shown = headline(potentials, context)
    names = worst_first(shown[shown["distribution"] == "test"], context)[:WORST]
    return Grouped(
        potentials[potentials["task"].isin(names)],
        curves[curves["task"].isin(names)],
        replace(context, tasks=tuple(names)),
    )


def worst_first(potentials: pd.DataFrame, context: ReportContext) -> list[str]:
    """List the tasks from the smallest mean potential over all series to the largest."""
    means = potentials.groupby("task")["potential"].mean()
    known = [task for task, _ in tasks_of(potentials, context)]
    return sorted(known, key=lambda task: (means[task] != means[task], means[task]))


def by_family_worst_first(
    potentials: pd.DataFrame, context: ReportContext
) -> list[tuple[str, str]]:
    """List (task, family): the train distribution in sweep order, then family by family."""
    train = [(task, TRAIN) for task, side in tasks_of(potentials, context) if side == "train"]
    test = worst_first(potentials[potentials["distribution"] == "test"], context)
    shifted = [(task, family(task)) for task in test]
    return train + sorted(shifted, key=lambda pair: FAMILIES.index(pair[1]))


def _averaged(frame: pd.DataFrame) -> pd.DataFrame:
    sides = zip(frame["task"], frame["distribution"], strict=True)
    frame = frame.assign(family=[family_of(task, side) for task, side in sides])
    size = frame.groupby("family")["task"].nunique()
    averaged = [column for column in AVERAGED if column in frame]
    keys = [c for c in frame if c not in {"task", "parents", *averaged}]
    groups = frame.groupby(keys, sort=False, as_index=False)
    means = groups.agg(
        **{column: (column, lambda values: values.mean(skipna=False)) for column in averaged},
        parents=("parents", "min"),
        tasks=("task", "nunique"),
    )
    whole = means["tasks"] == means["family"].map(size)
    return means[whole].drop(columns="tasks").rename(columns={"family": "task"})
