"""The tables on robustness: their columns and types, which do not depend on what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

POPULATION = {
    "network": "str", "method": "str", "schedule": "str", "level": "int64", "ratio": "float64"
}  # fmt: skip
NAME = POPULATION | {"seed": "int64"}
TASK = {"task": "str", "distribution": "str"}
LIMITS = {"low": "float64", "high": "float64"}
SCORES = (
    "error", "nll", "ece", "brier", "worst_recall", "recall_range", "recall_deviation", "agreement",
    "churn", "wrong_if_parent_right", "newly_wrong", "newly_right", "error_overlap",
)  # fmt: skip
MEANS = {"metric": "str", "mean": "float64"} | LIMITS | {"seeds": "int64"}
COLUMNS: dict[str, dict[str, str]] = {
    "metrics": NAME
    | TASK
    | {"examples": "int64"}
    | dict.fromkeys((*SCORES, "mcnemar_p"), "float64"),
    "metric_means": POPULATION | TASK | MEANS,
    "distribution_means": POPULATION | {"distribution": "str"} | MEANS,
    "recall_distortion": NAME
    | TASK
    | {
        "alpha": "float64",
        "alpha_with_intercept": "float64",
        "balanced": "bool",
        "accuracy": "float64",
    },
    "alphas": POPULATION
    | TASK
    | {"alpha": "float64"}
    | LIMITS
    | {"label": "str", "pooled": "float64", "r2": "float64", "accuracy": "float64"}
    | {"seeds": "int64"},
    "alpha_tests": {"network": "str", "schedule": "str", "task": "str", "claim": "str"}
    | {"first_method": "str", "first_level": "int64"}
    | {"second_method": "str", "second_level": "int64", "second_network": "str"}
    | dict.fromkeys(("t", "freedom", "p", "adjusted_p"), "float64"),
    "classes": POPULATION
    | {"task": "str", "class": "int64", "dense_recall": "float64", "pruned_recall": "float64"}
    | dict.fromkeys(("shift", "t", "freedom", "p", "adjusted_p"), "float64")
    | {"seeds": "int64"},
    "exemplars": POPULATION
    | {"task": "str", "count": "int64", "fraction": "float64"}
    | {"accuracy_on": "float64", "accuracy_off": "float64", "seeds": "int64", "few": "bool"},
    "corruption_error": NAME
    | {"source": "str", "corruption": "str", "corruption_error": "float64", "relative": "float64"}
    | {"error": "float64"},
    "outliers": NAME | {"task": "str", "score": "str", "auroc": "float64", "fpr95": "float64"},
    "outlier_means": POPULATION | {"task": "str", "score": "str"} | MEANS,
    "membership": NAME
    | {"task": "str", "attack": "str", "balanced_accuracy": "float64", "auroc": "float64"}
    | {"tpr_at_low_fpr": "float64"},
    "membership_means": POPULATION | {"task": "str", "attack": "str"} | MEANS,
    "class_iou": NAME | TASK | {"class": "int64", "iou": "float64", "labelled": "int64"},
    "readings": NAME
    | {"measure": "str", "role": "str", "against": "str", "against_level": "int64"}
    | {"quantity": "str", "part": "str", "at": "float64", "value": "float64", "spread": "float64"},
}
FLUSH = 1 << 16
Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """The tables of a sweep; each has its columns even where it has no rows.

    Fractions are fractions. Level 0 of method ``dense`` are the parents.

    Attributes:
        metrics: one row per network and task. ``wrong_if_parent_right`` is P(wrong | the parent is
            right), ``newly_wrong`` the same as a share of all examples; NaN for the parents.
            ``mcnemar_p`` tests whether a network and its parent are equally accurate.
        metric_means: the scores of ``metrics`` over seeds. Intervals of means over examples cover
            the choice of seed and of test images, and the latter alone for one seed. Those of
            calibration error and of what is told of classes are Student's over the seeds, which
            takes the test images as they are, and NaN for one seed.
        distribution_means: the same of the mean over the tasks of the train and test distribution.
        recall_distortion: α of each network against its parent, on the train distribution.
        alphas: its mean over seeds with an interval that holds for all levels at once, a label
            (``<`` below 1, ``>`` above, ``?`` neither), and α pooled over classes and seeds.
        alpha_tests: whether α grows from level to level, differs between methods, and falls from a
            network to the next larger one on the same data.
        classes: Welch's tests of the recall of each class, adjusted after Holm at each level.
        exemplars: examples whose modal label over seeds differs between dense and pruned networks.
        corruption_error: relative to the parent, by corruption; ``mCE`` is the mean. ``source`` is
            a published set of corrupted images, or nothing where they are generated. ``error`` is
            the plain mean error.
        outliers: how well scores tell each foreign data set from the test images.
        outlier_means: its mean over seeds; intervals of AUROC cover images and seeds as above.
        membership: how well attacks tell training images from test images.
        membership_means: its mean over seeds; the intervals cover images and seeds as above, but
            for ``tpr_at_low_fpr``.
        class_iou: of segmentation, over the whole test set.
        readings: what measures found; the networks of a chain by role.

    """

    metrics: pd.DataFrame
    metric_means: pd.DataFrame
    distribution_means: pd.DataFrame
    recall_distortion: pd.DataFrame
    alphas: pd.DataFrame
    alpha_tests: pd.DataFrame
    classes: pd.DataFrame
    exemplars: pd.DataFrame
    corruption_error: pd.DataFrame
    outliers: pd.DataFrame
    outlier_means: pd.DataFrame
    membership: pd.DataFrame
    membership_means: pd.DataFrame
    class_iou: pd.DataFrame
    readings: pd.DataFrame


class Growing:
    """A table that takes rows a few at a time and keeps them as columns."""

    def __init__(self, table: str) -> None:
        """Begin one of ``COLUMNS``."""
        self._types = COLUMNS[table]
        self._rows: list[Row] = []
        self._frames = [typed(table, ())]

    def extend(self, rows: Iterable[Row]) -> None:
        """Append ``rows``; what they do not say is NaN."""
        self._rows.extend(rows)
        if len(self._rows) > FLUSH:
            self._flush()

    def frame(self) -> pd.DataFrame:
        """Return all rows."""
        self._flush()
        filled = [frame for frame in self._frames if len(frame)] or self._frames[:1]
        return pd.concat(filled, ignore_index=True)

    def _flush(self) -> None:
        frame = pd.DataFrame(self._rows, columns=list(self._types))
        self._frames.append(frame.astype(self._types))
        self._rows = []


def typed(table: str, rows: Iterable[Row]) -> pd.DataFrame:
    """Make one of ``COLUMNS`` of rows."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS[table])).astype(COLUMNS[table])
