"""The metrics of a chain's run: which curves there are, and what they are called.

MLflow's charts are in sections by what comes before the last slash of a name, in alphabetical
order: ``accuracy/nominal`` is alone in the first one, ``accuracy/<family>/<task>`` are in one
section per family, and ``family/<family>`` are the means of the families side by side. Further
sections are ``metric/<task>``, ``detection/<task>``, ``membership/<task>`` and
``measure/<measure>``.

MLflow keeps every point that it was ever given, so a name must never mean two things. The mean of
a family is of all its tasks in the sweep file, and a network that lacks one of them has none; when
a task is added, the mean continues under another name (see ``orchestrator.tracking.tasks``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from hashlib import sha256
from math import isfinite, isnan

from orchestrator.robustness.families import CLEAN, family
from orchestrator.tracking.network import Network

_NETWORK = ("achieved_ratio", "requested_ratio", "parameters", "nonzero")
_DIGITS = 8


@dataclass(frozen=True)
class Point:
    """One point of a metric's curve; ``timestamp`` in milliseconds since 1970."""

    key: str
    value: float
    timestamp: int
    step: int

    @property
    def section(self) -> str:
        """Where the chart of its curve is: the name before the last slash."""
        return self.key.rpartition("/")[0]


def points(
    network: Network,
    families: Mapping[str, Iterable[str]] | None = None,
    readings: Mapping[str, float] | None = None,
) -> Iterator[Point]:
    """Yield the metrics of one network at step 1000 × achieved prune ratio.

    Value, time and step follow from committed records alone: logging them again is no change.

    Args:
        network: with its scores.
        families: the tasks whose mean accuracy is a curve, by its name.
        readings: what measures of the chain found about the network, by the name of the curve.

    """
    record = network.record
    known = {name: value for name, value in network.accuracies.items() if not isnan(value)}
    # MLflow lists metrics in the order in which it first saw them.
    values = {accuracy_name(task): known[task] for task in known if family(task) == CLEAN}
    values |= dict(_means(known, families or {}))
    values |= {accuracy_name(task): value for task, value in known.items()}
    values |= dict(network.metrics) | dict(readings or {})
    values |= {f"network/{name}": record[name] for name in _NETWORK if name in record}
    if record.get("loss"):
        values["training/loss"] = record["loss"][-1]
    if "seconds" in record:
        values["training/seconds"] = record["seconds"]
    step = round(1000 * record["achieved_ratio"])
    for name, value in values.items():
        if isfinite(value):
            yield Point(legal_name(name), float(value), network.created, step)


def accuracy_name(task: str) -> str:
    """Name the curve of the accuracy on a task, by its label."""
    group = family(task)
    return f"accuracy/{task}" if group == CLEAN else f"accuracy/{group}/{task}"


def unpublished(shown: Iterable[Point], told: str) -> tuple[list[Point], str]:
    """List the points of the sections in which something is new.

    Args:
        shown: all points that a run should have.
        told: what this function returned with the points that it was given last, or nothing.

    Returns:
        The points, and a digest of each section as text.

    """
    shown = list(shown)
    old = dict(one.split("=") for one in told.split("; ") if "=" in one)
    now = _digests(shown)
    new = [point for point in shown if old.get(point.section) != now[point.section]]
    return new, "; ".join(f"{name}={digest}" for name, digest in sorted((old | now).items()))


def answer_points(
    answers: Mapping[str, float], shown: Mapping[str, float], now: int
) -> list[Point]:
    """Write the answers that differ from those ``shown`` as metrics at step 0.

    The time is ``now``, in milliseconds since 1970: of one step, MLflow shows the newest value.
    """
    legal = {legal_name(name): value for name, value in answers.items()}
    return [Point(name, v, now, 0) for name, v in legal.items() if not _same(v, shown.get(name))]


def legal_name(name: str) -> str:
    """Replace what MLflow allows in no name of a metric, a parameter or a tag."""
    return re.sub(r"[^\w\-. :/]", "_", name)


def _same(value: float, shown: float | None) -> bool:
    return value == shown or (shown is not None and isnan(value) and isnan(shown))


def _means(
    known: Mapping[str, float], families: Mapping[str, Iterable[str]]
) -> Iterator[tuple[str, float]]:
    for name, tasks in families.items():
        values = [known[task] for task in tasks if task in known]
        if len(values) == len(tuple(tasks)):
            yield f"family/{name}", sum(values) / len(values)


def _digests(shown: Iterable[Point]) -> dict[str, str]:
    sections: dict[str, list[str]] = defaultdict(list)
    for point in shown:
        sections[point.section].append(repr(astuple(point)))
    return {
        section: sha256("\n".join(sorted(told)).encode()).hexdigest()[:_DIGITS]
        for section, told in sections.items()
    }
