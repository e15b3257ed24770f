"""The answer of a sweep in plain English."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from orchestrator.report.context import ACCURACY, ReportContext
from orchestrator.report.numbers import EDGE, count, interval, percent, points
from orchestrator.report.series import Series, headline, of_network, present, tasks_of
from orchestrator.report.tables import worst_tasks
from workers.registry import METHODS, UnknownPlugInError

if TYPE_CHECKING:
    from orchestrator.analysis.analyse import Results


def answer(results: Results, context: ReportContext, network: str) -> str:
    """Say in one or two sentences how far a network can be pruned, and how far under shift.

    A control that only pretends to prune is no answer to that; it stays in figures and tables.
    """
    summary = headline(of_network(results.summary, network), context)
    means = summary[(summary["statistic"] == "mean") & summary["potential"].notna()]
    potentials = headline(of_network(results.potentials, network), context)
    best, sturdy = _best(means, "train", context), _best(means, "test", context)
    told = (means, potentials, context)
    if best is None:
        if sturdy is None:
            return f"Nothing can be said about {network} yet: no pruned network has been evaluated."
        return f"{network} can be pruned by {_only_shifted(sturdy, *told)}."
    nominal, shifted = _nominal(best, *told), _shifted(best, *told)
    if _ends_the_ladder(best, _mean(best, means), of_network(results.curves, network)):
        nominal = f"at least {nominal}"
    first = f"{network} can be pruned to {nominal}{shifted}."
    if sturdy is None or sturdy == best:
        return first
    return f"{first} {_other(sturdy, *told)}"


def answers(results: Results, context: ReportContext) -> dict[str, float]:
    """Name the headline numbers of a sweep: mean and minimum potentials, slopes of excess error.

    Names are ``potential/<network>/<method>/<distribution> <statistic>`` and
    ``excess_slope/<network>/<method>``, with the schedule as a further part if there are several.
    """
    told: dict[str, float] = {}
    for network in context.networks:
        potentials = headline(of_network(results.summary, network), context)
        slopes = of_network(results.slopes, network)
        for one in present(potentials, context):
            name = f"{network}/{one.label}"
            for row in one.rows(potentials).to_dict("records"):
                side = f"{row['distribution']} {row['statistic']}"
                told[f"potential/{name}/{side}"] = row["potential"]
            for slope in one.rows(slopes)["slope"]:
                told[f"excess_slope/{name}"] = slope
    return told


def intervals_note(results: Results, context: ReportContext) -> str:
    """Say in one line what the intervals cover, and what not."""
    frame = results.potentials
    level = f"{100 * context.confidence:g} %"
    if frame.empty or not (frame["low"].notna() & frame["high"].notna()).any():
        return "There are no intervals: a single measurement says nothing about its own spread."
    fewest, parents = int(frame["parents"].min()), int(frame["parents"].max())
    if parents < 2:
        return (
            f"Intervals ({level}) come from one parent network: they cover the choice of test "
            "examples, not of the seed, and another seed may well fall outside."
        )
    few = " With so few parents they are wide." if parents < 5 else ""
    number = f"{parents}" if fewest == parents else f"{fewest} to {parents}"
    return (
        f"Intervals ({level}, Student’s t) cover the choice of seed, from {number} independently "
        f"trained parents, and of test examples, resampled.{few}"
    )


def _best(means: pd.DataFrame, distribution: str, context: ReportContext) -> Series | None:
    rows = means[means["distribution"] == distribution]
    series = [one for one in present(rows, context) if not _pretends(one.method)]
    return max(series, key=lambda one: _mean(one, rows)["potential"], default=None)


def _pretends(label: str) -> bool:
    """Whether a method only pretends; a label begins with the name of the plug-in."""
    try:
        return METHODS.get(label.partition("-")[0]).pretends
    except UnknownPlugInError:  # a method that is not installed where the report is made
        return False


def _mean(series: Series, means: pd.DataFrame) -> pd.Series:
    return series.rows(means).iloc[0]


def _nominal(
    series: Series, means: pd.DataFrame, potentials: pd.DataFrame, context: ReportContext
) -> str:
    row = _mean(series, means[means["distribution"] == "train"])
    tasks = [task for task, side in tasks_of(potentials, context) if side == "train"]
    where = (
        f"on {tasks[0]} data"
        if len(tasks) == 1
        else f"on average over the {len(tasks)} tasks of the train distribution"
    )
    return f"{_value(row)} by {series.label} before {_too_much(means, context, where)}"


def _ends_the_ladder(series: Series, row: pd.Series, curves: pd.DataFrame) -> bool:
    """Whether every parent passed at the last level, so that more was never tried."""
    top: float = series.rows(curves)["ratio"].max()
    return bool(row["potential"] >= top - EDGE)


def _shifted(
    series: Series, means: pd.DataFrame, potentials: pd.DataFrame, context: ReportContext
) -> str:
    test = series.rows(means[means["distribution"] == "test"])
    if test.empty:
        return ""
    train = _mean(series, means[means["distribution"] == "train"])
    but = "but only" if test.iloc[0]["potential"] < train["potential"] - EDGE else "and"
    return f", {but} to {_under_shift(series, test.iloc[0], potentials, context)}"


def _only_shifted(
    series: Series, means: pd.DataFrame, potentials: pd.DataFrame, context: ReportContext
) -> str:
    reach = _under_shift(series, _mean(series, means), potentials, context)
    return f"{series.label} to {reach} before {_too_much(means, context)}"


def _other(
    series: Series, means: pd.DataFrame, potentials: pd.DataFrame, context: ReportContext
) -> str:
    row = _mean(series, means[means["distribution"] == "test"])
    reach = _under_shift(series, row, potentials, context)
    return f"Under shift {series.label} lasts longest: to {reach}."


def _under_shift(
    series: Series, row: pd.Series, potentials: pd.DataFrame, context: ReportContext
) -> str:
    own = series.rows(potentials)
    own = own[own["distribution"] == "test"]
    tasks, worst = own["task"].nunique(), worst_tasks(own, context)
    if tasks < 2:
        return f"{_value(row)} on {own['task'].iloc[0]}"
    if len(worst) == tasks:
        return f"{_value(row)} on each of the {tasks} shifted tasks"
    mean = f"{_value(row)} on average over the {tasks} shifted tasks"
    if not worst:
        return mean
    lowest = percent(own["potential"].min(), 0)
    others = f" and {count(len(worst) - 1, 'other')}" if len(worst) > 1 else ""
    return f"{mean} and to {lowest}\u00a0% on {worst[0]}{others}"


def _value(row: pd.Series) -> str:
    return f"{percent(row['potential'], 0)}\u00a0% {interval(row['low'], row['high'], 0)}".strip()


def _too_much(means: pd.DataFrame, context: ReportContext, where: str = "") -> str:
    metric = context.metric(str(means["network"].iloc[0]))
    what, moves = ("error", "rises") if metric == ACCURACY else (metric, "falls")
    margin = f"by more than {points(context.delta)}"
    return " ".join(filter(None, ("its", what, where, moves, margin)))
