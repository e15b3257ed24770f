"""What is kept of one network, how well it tells outliers, and its IoU by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.outliers import auroc, fpr_at_tpr
from orchestrator.metrics.scores import Score
from orchestrator.robustness.columns import Row
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.outputs import Columns, Member

OUTLIER_SCORES = {"max softmax": "confidence", "energy": "energy"}
KNOWN = ("label", "predicted", "p_true", "entropy", "modified_entropy")
"""What the attacks on membership need."""


@dataclass(frozen=True)
class Digest:
    """What is kept of a network once it has been read, by task; for pruned ones of few tasks."""

    member: Member
    label: dict[str, NDArray[Any]] = field(default_factory=dict)
    predicted: dict[str, NDArray[Any]] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    seen: dict[str, Columns] = field(default_factory=dict)


def name(member: Member) -> dict[str, object]:
    """Return the columns that every row about a network has."""
    return {key: value for key, value in asdict(member).items() if key != "evaluations"}


def digest(member: Member, found: Mapping[str, Columns], conditions: Conditions) -> Digest:
    """Keep what later networks are compared with: all of a parent, the train tasks of others."""
    kept = Digest(member)
    attacked = {*conditions.members, conditions.clean} if conditions.members else set()
    for task, columns in found.items():
        if "image" in columns:
            continue
        label, predicted = columns["label"], columns["predicted"]
        if task not in conditions.outliers:
            kept.errors[task] = float((label != predicted).mean())
        if member.level == 0 or task in conditions.train:
            kept.label[task], kept.predicted[task] = label.copy(), predicted.copy()
        if task in attacked:
            kept.seen[task] = {key: columns[key].copy() for key in KNOWN if key in columns}
    return kept


@dataclass(frozen=True)
class Outliers:
    """How well a score of one network tells a foreign data set from the clean test images."""

    task: str
    score: str
    auroc: Score
    fpr95: float

    def row(self, member: Member) -> Row:
        """Make the row of the table ``outliers``."""
        which = {"task": self.task, "score": self.score}
        return name(member) | which | {"auroc": self.auroc.value, "fpr95": self.fpr95}


def outliers(found: Mapping[str, Columns], conditions: Conditions) -> Iterator[Outliers]:
    """Yield how well each score tells each foreign data set from the clean test images."""
    inside = found.get(conditions.clean, {})
    for task in (task for task in found if task in conditions.outliers):
        for score, column in OUTLIER_SCORES.items():
            if told(inside, column) and told(found[task], column):
                known, foreign = (_finite(one[column]) for one in (inside, found[task]))
                yield Outliers(task, score, auroc(known, foreign), fpr_at_tpr(known, foreign))


def iou_rows(member: Member, found: Mapping[str, Columns], conditions: Conditions) -> Iterator[Row]:
    """Yield the IoU of every class that the labels of a segmentation task show."""
    for task, columns in found.items():
        if "image" not in columns:
            continue
        inside, guessed, truth = (
            np.bincount(columns["class"], weights=columns[count]).astype(np.int64)
            for count in ("true_positive", "predicted", "labelled")
        )
        for label in np.flatnonzero(truth):
            yield name(member) | {
                "task": task,
                "distribution": conditions.distributions[task],
                "class": int(label),
                "iou": inside[label] / (guessed[label] + truth[label] - inside[label]),
                "labelled": int(truth[label]),
            }


def told(columns: Columns, name: str) -> bool:
    """Whether there is a number for every example; a network that overflows gives none for some."""
    return name in columns and not bool(np.isnan(columns[name]).any())


def _finite(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Half precision has no number above 65,504; what was larger still comes first."""
    finite: NDArray[np.float64] = np.nan_to_num(scores.astype(np.float64), nan=np.nan)
    return finite
