"""What is computed of networks that differ in nothing but the seed, beside their parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.class_tests import class_level_tests
from orchestrator.metrics.corruption_error import corruption_errors
from orchestrator.metrics.distortion import Distortion, pooled_alpha, recall_distortion
from orchestrator.metrics.exemplars import FEWEST, pruning_identified_exemplars
from orchestrator.metrics.recall import class_recall
from orchestrator.robustness.columns import POPULATION, Row
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.families import corruption
from orchestrator.robustness.network import Digest, name

MEAN = "mCE"
Parents = Mapping[int, Digest]
"""By seed."""


@dataclass(frozen=True)
class Pair:
    """A pruned network and its parent on one task."""

    pruned: Digest
    parent: Digest
    task: str

    @property
    def label(self) -> NDArray[Any]:
        """The true classes."""
        return self.parent.label[self.task]

    @property
    def classes(self) -> int:
        """How many the labels show."""
        return int(self.label.max()) + 1

    @property
    def predictions(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """What the parent predicts, and what the pruned network does."""
        return self.parent.predicted[self.task], self.pruned.predicted[self.task]

    def recalls(self) -> list[NDArray[np.float64]]:
        """Recall of each class, of the parent and of the pruned network."""
        return [class_recall(self.label, said, self.classes) for said in self.predictions]


def pairs(found: Sequence[Digest], parents: Parents, conditions: Conditions) -> list[list[Pair]]:
    """List, for each task of the train distribution, the networks that it was measured on."""
    by_task = [
        [
            Pair(one, parents[one.member.seed], task)
            for one in found
            if one.member.seed in parents
            and task in one.predicted
            and task in parents[one.member.seed].predicted
        ]
        for task in conditions.train
    ]
    return [own for own in by_task if own]


def shared(found: Sequence[Digest]) -> dict[str, object]:
    """Return the columns of every row about a population; the ratio is the mean achieved one."""
    first = name(found[0].member)
    ratio = float(np.mean([one.member.ratio for one in found]))
    return {key: first[key] for key in POPULATION} | {"ratio": ratio}


def distortion_rows(own: Sequence[Pair], side: str) -> tuple[list[Row], Row]:
    """Make a row of α for each network, and one of them together."""
    rows: list[Row] = []
    found: list[Distortion] = []
    for pair in own:
        one = recall_distortion(pair.label, *pair.predictions, pair.classes)
        found.append(one)
        rows.append(
            name(pair.pruned.member)
            | {
                "task": pair.task,
                "distribution": side,
                "alpha": one.alpha,
                "alpha_with_intercept": one.alpha_with_intercept,
                "balanced": one.balanced,
                "accuracy": one.pruned_accuracy,
            }
        )
    pooled, r2 = pooled_alpha(
        np.stack([one.balance for one in found]), np.stack([one.pruned_balance for one in found])
    )
    together = shared([pair.pruned for pair in own]) | {
        "task": own[0].task,
        "distribution": side,
        "pooled": pooled,
        "r2": r2,
        "accuracy": float(np.mean([one.pruned_accuracy for one in found])),
        "seeds": len(own),
    }
    return rows, together


def class_rows(own: Sequence[Pair]) -> Iterator[Row]:
    """Yield Welch's test of each class; without numbers for a single seed."""
    recalls = [pair.recalls() for pair in own]
    dense, pruned = (np.stack(side) for side in zip(*recalls, strict=True))
    rights = [[(said == pair.label).mean() for said in pair.predictions] for pair in own]
    dense_right, pruned_right = np.array(rights, np.float64).T
    tests = class_level_tests(dense, dense_right, pruned, pruned_right)
    start = shared([pair.pruned for pair in own]) | {"task": own[0].task, "seeds": len(own)}
    for label in range(dense.shape[1]):
        yield start | {
            "class": label,
            "dense_recall": dense[:, label].mean(),
            "pruned_recall": pruned[:, label].mean(),
            **{key: getattr(tests, key)[label] for key in ("shift", "t", "freedom", "p")},
            "adjusted_p": tests.adjusted_p[label],
        }


def exemplar_rows(own: Sequence[Pair]) -> Iterator[Row]:
    """Yield how many examples pruned networks as a population see otherwise, of two seeds on."""
    if len(own) < FEWEST:
        return
    dense, pruned = (np.stack(side) for side in zip(*(p.predictions for p in own), strict=True))
    found = pruning_identified_exemplars(own[0].label, dense, pruned)
    yield shared([pair.pruned for pair in own]) | {
        "task": own[0].task,
        "count": found.count,
        "fraction": found.fraction,
        "accuracy_on": found.accuracy_on,
        "accuracy_off": found.accuracy_off,
        "few": found.few,
        "seeds": len(own),
    }


def corruption_rows(own: Digest, parent: Digest, conditions: Conditions) -> Iterator[Row]:
    """Yield the corruption error of one network for each corruption, and their mean.

    Generated corruptions have one mean, those of each published set another.
    """
    clean = conditions.clean
    if clean not in own.errors.keys() & parent.errors.keys():
        return
    for source, severities in _corruptions(own, parent).items():
        shape = len(severities), max(map(len, severities.values()))
        errors = np.full((2, *shape), np.nan)
        for row, tasks in enumerate(severities.values()):
            for column, task in enumerate(tasks):
                errors[:, row, column] = own.errors[task], parent.errors[task]
        found = corruption_errors(errors[0], errors[1], own.errors[clean], parent.errors[clean])
        told: dict[str, list[object]] = {
            "corruption": [*severities, MEAN],
            "corruption_error": [*found.corruption_error, found.mean_corruption_error],
            "relative": [*found.relative, found.mean_relative],
            "error": [*found.error, found.mean_error],
        }
        for values in zip(*told.values(), strict=True):
            one = dict(zip(told, values, strict=True))
            yield name(own.member) | {"source": source} | one


def _corruptions(own: Digest, parent: Digest) -> dict[str, dict[str, list[str]]]:
    """Group the tasks that both were tested on by published set and corruption."""
    grouped: dict[str, dict[str, list[str]]] = {}
    for task in own.errors:
        source, kind = corruption(task)
        if kind and task in parent.errors:
            grouped.setdefault(source, {}).setdefault(kind, []).append(task)
    return grouped
