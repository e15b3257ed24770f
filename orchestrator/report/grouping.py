"""Many tasks told by family, the worst of them by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from orchestrator.report.context import ReportContext
from orchestrator.report.numbers import EDGE, count, percent
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
    """Keep the few shifted tasks with the smallest potentials, the worst first.

    None is chosen among equals: of tasks that share a potential there are all or none. Arguments
    are as above.
    """
    names = _worst_of(_shifted(potentials, context))
    return Grouped(
        potentials[potentials["task"].isin(names)],
        curves[curves["task"].isin(names)],
        replace(context, tasks=tuple(names)),
    )


def worst_text(potentials: pd.DataFrame, context: ReportContext) -> str:
    """Say what ``worst`` keeps, or which tie leaves it nothing; empty without shifted tasks."""
    means = _shifted(potentials, context)
    if names := _worst_of(means):
        return f"then the {count(len(names), 'task')} with the smallest"
    if means.empty:
        return ""
    tied, lowest = int((means <= means.iloc[0] + EDGE).sum()), f"{percent(means.iloc[0])}\u00a0%"
    if tied == len(means):
        return f"all {count(tied, 'shifted task')} have the same, {lowest}"
    return f"{tied} of {count(len(means), 'shifted task')} share the smallest, {lowest}"


def worst_first(potentials: pd.DataFrame, context: ReportContext) -> list[str]:
    """List the tasks from the smallest mean potential over all series to the largest."""
    return _means(potentials, context).index.tolist()


def by_family_worst_first(
    potentials: pd.DataFrame, context: ReportContext
) -> list[tuple[str, str]]:
    """List (task, family): the train distribution in sweep order, then family by family."""
    train = [(task, TRAIN) for task, side in tasks_of(potentials, context) if side == "train"]
    test = worst_first(potentials[potentials["distribution"] == "test"], context)
    shifted = [(task, family(task)) for task in test]
    return train + sorted(shifted, key=lambda pair: FAMILIES.index(pair[1]))


def _shifted(potentials: pd.DataFrame, context: ReportContext) -> pd.Series:
    """Return the known mean potentials of shifted tasks over all series, the smallest first."""
    shown = headline(potentials, context)
    return _means(shown[shown["distribution"] == "test"], context).dropna()


def _worst_of(means: pd.Series) -> list[str]:
    """Choose among ascending ``means``; a tie that would be torn apart is left out."""
    names: list[str] = means.index[:WORST].tolist()
    if len(means) <= WORST:
        return names
    return [name for name in names if means[name] < means.iloc[WORST] - EDGE]


def _means(potentials: pd.DataFrame, context: ReportContext) -> pd.Series:
    known = [task for task, _ in tasks_of(potentials, context)]
    means = potentials.groupby("task")["potential"].mean()
    return means.reindex(known).sort_values(kind="stable")


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
