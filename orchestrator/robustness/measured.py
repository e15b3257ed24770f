"""What one network has by every metric on a task, beside its parent where it has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from orchestrator.metrics.agreement import compare_predictions
from orchestrator.metrics.calibration import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
)
from orchestrator.metrics.recall import (
    class_recall,
    recall_deviation,
    recall_range,
    worst_class_recall,
)
from orchestrator.metrics.scores import Score, mean_score
from orchestrator.robustness.columns import Row
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.network import Digest, name, told
from orchestrator.robustness.outputs import Columns, Member


@dataclass(frozen=True)
class Measured:
    """A network on a task: what is a mean over the examples, and what is not."""

    task: str
    distribution: str
    examples: int
    means: Mapping[str, Score]
    others: Mapping[str, float]

    def row(self, member: Member) -> Row:
        """Make the row of the table ``metrics``."""
        return name(member) | {
            "task": self.task,
            "distribution": self.distribution,
            "examples": self.examples,
            **{metric: score.value for metric, score in self.means.items()},
            **self.others,
        }


def measured(
    found: Mapping[str, Columns], parent: Digest | None, conditions: Conditions
) -> Iterator[Measured]:
    """Yield what a network has on each task; agreement where its parent has been tested too."""
    for task, columns in found.items():
        if "image" in columns:
            continue
        known = task not in conditions.outliers
        means = _means(columns) if known else {}
        others = _others(columns) if known else {}
        if parent and task in parent.predicted:
            more, p_value = _beside_parent(columns, parent.predicted[task], known=known)
            means, others = means | more, others | p_value
        side = conditions.distributions[task]
        yield Measured(task, side, len(columns["label"]), means, others)


def _means(columns: Columns) -> dict[str, Score]:
    found = {"error": mean_score(columns["label"] != columns["predicted"])}
    if told(columns, "p_true"):
        found["nll"] = negative_log_likelihood(columns["p_true"])
    if told(columns, "brier"):
        found["brier"] = brier_score(columns["brier"])
    return found


def _others(columns: Columns) -> dict[str, float]:
    label, predicted = columns["label"], columns["predicted"]
    recall = class_recall(label, predicted, int(label.max()) + 1)
    found = {
        "worst_recall": float(worst_class_recall(recall)),
        "recall_range": float(recall_range(recall)),
        "recall_deviation": float(recall_deviation(recall)),
    }
    if told(columns, "confidence"):
        found["ece"] = expected_calibration_error(columns["confidence"], label == predicted)
    return found


def _beside_parent(
    columns: Columns, parent: NDArray[Any], *, known: bool
) -> tuple[dict[str, Score], dict[str, float]]:
    label, predicted = columns["label"], columns["predicted"]
    found = compare_predictions(label, parent, predicted)
    means = {"agreement": found.agreement, "churn": found.churn}
    if not known:
        return means, {}
    return means | {
        "newly_wrong": found.newly_wrong,
        "newly_right": found.newly_right,
        "wrong_if_parent_right": found.wrong_if_parent_right,
        "error_overlap": found.error_overlap,
    }, {"mcnemar_p": found.p_value}
