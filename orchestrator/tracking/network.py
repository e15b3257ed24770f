"""A committed network of a chain, with all that is known of how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING

from workers.contracts import Record

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("nll", "ece", "brier", "worst_recall", "agreement", "wrong_if_parent_right", "alpha")
"""Columns of cells that become metrics, where they are there and not NaN."""


@dataclass(frozen=True)
class Network:
    """A committed network of a chain.

    Attributes:
        key: its content key.
        record: what was committed with it.
        accuracies: by task label; NaN where the images are of none of the classes.
        metrics: other scores, by the name of their curve: ``metric/nominal/ece``.

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
        f"metric/{task}/{metric}": float(value)
        for metric in METRICS
        if metric in cells
        for task, value in zip(cells["task"], cells[metric], strict=True)
        if not isnan(value)
    }
    accuracies = dict(zip(cells["task"], cells["accuracy"], strict=True))
    return Network(key, record, accuracies, metrics)
