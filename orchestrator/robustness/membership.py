"""Attacks on the membership of training images, the shadow being a network of another seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.membership import Attack, correctness_attack, threshold_attack
from orchestrator.metrics.thresholds import divides
from orchestrator.robustness.columns import Row
from orchestrator.robustness.conditions import Conditions
from orchestrator.robustness.network import Digest, name
from orchestrator.robustness.outputs import Columns, Member

SCORES = {"confidence": "p_true", "entropy": "entropy", "modified entropy": "modified_entropy"}
SIGNS = {"confidence": 1.0, "entropy": -1.0, "modified entropy": -1.0}
CORRECTNESS = "correctness"
LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Attacked:
    """How well one attack does on one network."""

    member: Member
    task: str
    attack: str
    result: Attack

    def row(self) -> Row:
        """Make the row of the table ``membership``."""
        return name(self.member) | {
            "task": self.task,
            "attack": self.attack,
            "balanced_accuracy": self.result.balanced_accuracy.value,
            "auroc": self.result.auroc.value,
            "tpr_at_low_fpr": self.result.tpr_at_low_fpr,
        }


def membership(found: Sequence[Digest], conditions: Conditions) -> Iterator[Attacked]:
    """Yield how well each attack does on each network of a population.

    The shadow of a network is that of the seed before, and of the first one the second, so that a
    seed more changes nothing that was found; a single seed leaves the attack that needs none.
    Members are the training images that a task shows, others the clean test images.
    """
    for task in conditions.members:
        wanted = {task, conditions.clean}
        able = [one for one in found if wanted <= one.seen.keys()]
        for place, victim in enumerate(able):
            shadow = able[place - 1 if place else min(1, len(able) - 1)]
            images = _Images(victim.seen, task, conditions.clean)
            attacks = {CORRECTNESS: correctness_attack(images.correct, images.member)}
            if shadow is not victim:
                attacks |= images.attacks(_Images(shadow.seen, task, conditions.clean))
            for attack, result in attacks.items():
                yield Attacked(victim.member, task, attack, result)


class _Images:
    """What one network said of members, then of others."""

    def __init__(self, seen: Mapping[str, Columns], members: str, others: str) -> None:
        sides = [seen[members], seen[others]]
        self._columns = {
            key: np.concatenate([side[key] for side in sides])
            for key in sides[0]
            if key in sides[1]
        }
        self.label = self._columns["label"]
        self.correct: NDArray[np.bool_] = self.label == self._columns["predicted"]
        self.member = np.repeat([True, False], [len(side["label"]) for side in sides])

    def attacks(self, shadow: _Images) -> dict[str, Attack]:
        """Attack by every score that both networks have, unless the images are too few for it."""
        classes = int(self.label.max()) + 1
        if not divides(self.label, self.member, classes):
            return {}
        return {
            attack: threshold_attack(
                shadow.score(attack), self.score(attack), self.label, self.member, classes
            )
            for attack, column in SCORES.items()
            if self._told(column) and shadow._told(column)
        }

    def _told(self, column: str) -> bool:
        return column in self._columns and not bool(np.isnan(self._columns[column]).any())

    def score(self, attack: str) -> NDArray[Any]:
        """Return the score of an attack, larger for members."""
        values = self._columns[SCORES[attack]].astype(np.float64)
        return SIGNS[attack] * np.clip(values, -LARGEST, LARGEST)
