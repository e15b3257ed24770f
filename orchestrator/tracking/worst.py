"""The worst tasks of a sweep, family by family, for the description of its run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, isnan

from orchestrator.robustness.families import CLEAN, NO_SHIFT, family
from orchestrator.spec.labels import label
from orchestrator.tracking.network import Network
from workers.contracts import Chain

MOST = 9
"""Families that are told."""
HEAD = ("| family | worst task | accuracy lost | by |", "|---|---|---|---|")
Losses = Mapping[str, float]
Levels = Mapping[float, list[Losses]]


@dataclass(frozen=True)
class Worst:
    """What a family loses at most: on which task, by which series, at which requested ratio."""

    loss: float
    family: str
    task: str
    series: str
    ratio: float


def worst_note(pairs: Iterable[tuple[Chain, Network, list[Network]]], margin: float) -> str:
    """List the worst task of each family in Markdown, the worst family first.

    Each method is judged at the largest ratio at which the clean accuracy has fallen by no more
    than ``margin`` below the parent's (at the least one, if there is none); means over seeds.

    Args:
        pairs: chains with their parent and their networks, as far as these are evaluated.
        margin: as a fraction.

    """
    by_series: dict[str, dict[float, list[Losses]]] = defaultdict(lambda: defaultdict(list))
    for chain, parent, networks in pairs:
        for network in networks:
            lost = dict(_lost(parent.accuracies, network.accuracies))
            if lost:
                by_series[_series(chain)][network.record["requested_ratio"]].append(lost)
    worst: dict[str, Worst] = {}
    for series, levels in by_series.items():
        for one in _shifted(series, levels, margin):
            if one.family not in worst or one.loss > worst[one.family].loss:
                worst[one.family] = one
    if not worst:
        return ""
    ranked = sorted(worst.values(), key=lambda one: -one.loss)[:MOST]
    title = f"Worst tasks, where clean accuracy is within {100 * margin:g} points of the parent's:"
    return "\n".join([title, "", *HEAD, *map(_row, ranked)]) + "\n"


def _lost(parent: Losses, pruned: Losses) -> Iterator[tuple[str, float]]:
    for task, accuracy in pruned.items():
        if task in parent and not isnan(loss := parent[task] - accuracy):
            yield task, loss


def _shifted(series: str, levels: Levels, margin: float) -> Iterator[Worst]:
    """Yield what is lost on each shifted task at the level by which ``series`` is judged."""
    means = {ratio: _mean(found) for ratio, found in sorted(levels.items())}
    within = [ratio for ratio, mean in means.items() if _clean(mean) <= margin]
    ratio = max(within, default=min(means))
    for task, loss in means[ratio].items():
        if (group := family(task)) not in NO_SHIFT:
            yield Worst(loss, group, task, series, ratio)


def _clean(mean: Losses) -> float:
    return max((loss for task, loss in mean.items() if family(task) == CLEAN), default=inf)


def _mean(found: list[Losses]) -> dict[str, float]:
    shared = set.intersection(*(set(one) for one in found))
    return {
        task: sum(one[task] for one in found) / len(found) for task in found[0] if task in shared
    }


def _series(chain: Chain) -> str:
    method = label(chain.method) if chain.method else ""
    schedule = chain.schedule.label if chain.schedule else ""
    return " ".join((chain.network, method, schedule))


def _row(one: Worst) -> str:
    points = f"{100 * one.loss:.1f} points"
    return f"| {one.family} | `{one.task}` | {points} | {one.series} at {one.ratio:g} |"
