"""What a chain looks like in MLflow: parameters, tags and metrics as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import isnan
from typing import TYPE_CHECKING, Any

from orchestrator.robustness.families import NO_SHIFT, family
from orchestrator.spec.labels import label
from workers.contracts import Chain, Component, Record, TaskCell

if TYPE_CHECKING:
    import pandas as pd

LOAD = """from pathlib import Path
import json
from workers.checkpoint import restore
network = restore(json.loads(Path("network.json").read_text())["network"], \
Path("weights.safetensors").read_bytes())"""


@dataclass(frozen=True)
class Point:
    """One point of a metric's curve; ``timestamp`` in milliseconds since 1970."""

    key: str
    value: float
    timestamp: int
    step: int


METRICS = ("nll", "ece", "brier", "worst_recall", "agreement", "wrong_if_parent_right", "alpha")
"""Columns of cells that become metrics, where they are there and not NaN."""


@dataclass(frozen=True)
class Network:
    """A committed network of a chain.

    Attributes:
        key: its content key.
        record: what was committed with it.
        accuracies: by task label.
        metrics: other scores, by name and task label: ``ece/nominal``.

    """

    key: str
    record: Record
    accuracies: Mapping[str, float]
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The requested prune ratio, as text."""
        return f"{self.record['requested_ratio']:g}"

    @property
    def created(self) -> int:
        """When the network was committed, in milliseconds since 1970."""
        return round(1000 * float(self.record["created"]))

    @property
    def started(self) -> int:
        """When the work on the network began, in milliseconds since 1970."""
        return self.created - round(1000 * float(self.record.get("seconds", 0.0)))


def network_of(key: str, record: Record, cells: pd.DataFrame) -> Network:
    """Describe a network by its cells: columns ``task``, ``accuracy`` and some of ``METRICS``."""
    metrics = {
        f"{metric}/{task}": float(value)
        for metric in METRICS
        if metric in cells
        for task, value in zip(cells["task"], cells[metric], strict=True)
        if not isnan(value)
    }
    accuracies = dict(zip(cells["task"], cells["accuracy"], strict=True))
    return Network(key, record, accuracies, metrics)


def points(network: Network) -> Iterator[Point]:
    """Yield the metrics of one network at step 1000 × achieved prune ratio.

    Value, time and step follow from committed records alone: logging them again is no change.
    """
    record = network.record
    # Images of none of the classes have no accuracy.
    known = {name: value for name, value in network.accuracies.items() if not isnan(value)}
    values = {f"accuracy/{name}": value for name, value in known.items()}
    values |= {f"metric/{name}": value for name, value in network.metrics.items()}
    values |= dict(_families(known))
    values |= {f"network/{name}": record[name] for name in _NETWORK if name in record}
    if record.get("loss"):
        values["training/loss"] = record["loss"][-1]
    if "seconds" in record:
        values["training/seconds"] = record["seconds"]
    step = round(1000 * record["achieved_ratio"])
    for name, value in values.items():
        yield Point(_legal_name(name), float(value), network.created, step)


def answer_points(
    answers: Mapping[str, float], shown: Mapping[str, float], now: int
) -> list[Point]:
    """Write the answers that differ from those ``shown`` as metrics at step 0.

    The time is ``now``, in milliseconds since 1970: of one step, MLflow shows the newest value.
    """
    legal = {_legal_name(name): value for name, value in answers.items()}
    return [Point(name, v, now, 0) for name, v in legal.items() if not _same(v, shown.get(name))]


def _same(value: float, shown: float | None) -> bool:
    return value == shown or (shown is not None and isnan(value) and isnan(shown))


def _families(accuracies: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Average over each family of two tasks or more: ``family/noise of 4``.

    The number is part of the name: with a task more it is another mean, and another curve.
    """
    grouped: dict[str, list[float]] = {}
    for task, accuracy in accuracies.items():
        if (group := family(task)) not in NO_SHIFT:
            grouped.setdefault(group, []).append(accuracy)
    for group, values in grouped.items():
        if len(values) > 1:
            yield f"family/{group} of {len(values)}", sum(values) / len(values)


_NETWORK = ("achieved_ratio", "requested_ratio", "parameters", "nonzero")


def chain_parameters(sweep: str, chain: Chain, tasks: Iterable[TaskCell]) -> dict[str, str]:
    """List what a chain is; nothing here ever changes for one run."""
    schedule = {"schedule": chain.schedule.label} if chain.schedule else {}
    return {
        "sweep": sweep,
        "network": chain.network,
        "seed": str(chain.seed),
        "method": label(chain.method) if chain.method else "dense",
        **schedule,
        "parity": chain.parity,
        **_component("model", chain.model),
        **_component("data", chain.data),
        "data.fingerprint": chain.fingerprint,
        **_options("training", asdict(chain.training)),
        **_options("retraining", asdict(chain.retraining) if chain.retraining else {}),
        **{_legal_name(f"task.{task.label}"): task.key for task in tasks},
    }


def network_parameters(network: Network) -> dict[str, str]:
    """Tie the points of one network to its content key and to the day it was made."""
    made = datetime.fromtimestamp(network.record["created"], UTC).isoformat(timespec="milliseconds")
    return {f"key.{network.name}": network.key, f"created.{network.name}": made}


def environment_tags(record: Record) -> dict[str, str]:
    """Tell what a network was made with."""
    environment = record.get("environment", {})
    tags = {f"environment.{name}": str(value) for name, value in environment.items() if value}
    if revision := environment.get("revision"):
        tags["mlflow.source.git.commit"] = str(revision)
    return tags


def network_card(chain: Chain, network: Network) -> dict[str, Any]:
    """Describe a stored network so that it can be loaded again without the sweep."""
    return {"key": network.key, "chain": chain.name, "load": LOAD, **network.record}


def sweep_note(name: str, chains: Iterable[Chain], tasks: Iterable[TaskCell]) -> str:
    """Summarise a sweep in Markdown, for the description of its run."""
    chains = tuple(chains)
    ratios = sorted({level.ratio for chain in chains for level in chain.levels})
    rows = {
        "networks": _unique(chain.network for chain in chains),
        "methods": _unique(label(chain.method) for chain in chains if chain.method),
        "seeds": _unique(str(chain.seed) for chain in chains),
        "prune ratios": [f"{ratio:g}" for ratio in ratios],
        "tasks": [task.label for task in tasks],
    }
    table = "\n".join(f"| {row} | {', '.join(values)} |" for row, values in rows.items())
    return (
        f"Prune sweep **{name}**: one nested run per chain; its metrics over the step "
        f"(1000 × prune ratio) are its prune curves.\n\n| | |\n|---|---|\n{table}\n"
    )


def sweep_tag(sweep: str) -> str:
    """Spell a sweep's name so that MLflow's filter language, which has no escapes, can quote it."""
    return sweep.replace('"', "'")


def _component(prefix: str, component: Component) -> dict[str, str]:
    return {prefix: component.name, **_options(prefix, component.options)}


def _options(prefix: str, options: Mapping[str, Any]) -> dict[str, str]:
    return {f"{prefix}.{name}": str(value) for name, value in options.items()}


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _legal_name(name: str) -> str:
    return re.sub(r"[^\w\-. :/]", "_", name)
