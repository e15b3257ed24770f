"""Membership inference by thresholds: was this image among the network's training images?

Song and Mittal 2021, "Systematic Evaluation of Privacy Risks of Machine Learning Models" (USENIX
Security), and Yuan and Zhang 2022, "Membership Inference Attacks and Defenses in Neural Network
Pruning" (USENIX Security). The attacker calls an image a member where a score of the victim reaches
a threshold per class, chosen on a shadow network whose members are known.

The shadow is a network of another seed, which was trained on the same images. A threshold that was
chosen on an image would know it when it is judged, so that one half of the images chooses and the
other half is judged (``judged_half``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import check_examples
from orchestrator.metrics.outliers import auroc
from orchestrator.metrics.scores import Score
from orchestrator.metrics.thresholds import check_both_kinds, class_thresholds, judged_half


@dataclass(frozen=True)
class Attack:
    """How well an attack tells members from others; chance is ½ for the first two.

    Attributes:
        balanced_accuracy: ½ (share of members found + share of others passed over).
        auroc: P(score of a member > that of another) + ½ P(equal), without any threshold.
        tpr_at_low_fpr: largest share of members found with at most 0.1 % of the others accused.

    """

    balanced_accuracy: Score
    auroc: Score
    tpr_at_low_fpr: float


def threshold_attack(
    shadow: NDArray[Any],
    victim: NDArray[Any],
    label: NDArray[Any],
    member: NDArray[np.bool_],
    classes: int,
) -> Attack:
    """Attack the victim by a score, with thresholds from the shadow network.

    Those are chosen on one half of the images and the victim is judged on the other. Scores are
    larger for members: the probability of the true class (confidence), the negative entropy or the
    negative modified entropy. AUROC and the true positive rate need no threshold and are over all
    images.

    Args:
        shadow: scores that the shadow network gives, shape (images,).
        victim: scores of the victim on the same images, likewise.
        label: the true classes, likewise.
        member: whether both networks were trained on the image, likewise.
        classes: how many.

    Raises:
        ValueError: the shapes differ, a label is no class, or a half has no member or only members.

    """
    check_examples(shadow=shadow, victim=victim, label=label, member=member)
    check_both_kinds(member)
    judged = judged_half(label, member, classes)
    chosen = ~judged
    threshold = class_thresholds(shadow[chosen], label[chosen], member[chosen], classes)
    accused = victim[judged] >= threshold[label[judged]]
    return Attack(
        balanced_accuracy=_balanced_accuracy(accused, member[judged]),
        auroc=auroc(victim[member], victim[~member]),
        tpr_at_low_fpr=tpr_at_fpr(victim[member], victim[~member]),
    )


def correctness_attack(correct: NDArray[Any], member: NDArray[np.bool_]) -> Attack:
    """Call every image a member that the network gets right: ½ (1 + accuracy gap).

    Yeom et al. 2018, "Privacy Risk in Machine Learning: Analyzing the Connection to Overfitting".
    It needs neither shadow nor threshold, so that all images are judged.

    Args:
        correct: whether the prediction is right, shape (images,).
        member: whether the network was trained on the image, likewise.

    Raises:
        ValueError: the shapes differ, there is no member or nothing else.

    """
    check_examples(correct=correct, member=member)
    check_both_kinds(member)
    right = np.asarray(correct, bool)
    return Attack(
        balanced_accuracy=_balanced_accuracy(right, member),
        auroc=auroc(right[member], right[~member]),
        tpr_at_low_fpr=tpr_at_fpr(right[member], right[~member]),
    )


def tpr_at_fpr(members: NDArray[Any], others: NDArray[Any], fpr: float = 0.001) -> float:
    """Return the largest share of members found with at most ``fpr`` of the others accused.

    Carlini et al. 2022, "Membership Inference Attacks From First Principles". An image is accused
    where its score exceeds that of the first of the others that may not be accused, so that ties
    with it are not; below 1/fpr others none may be accused.

    Args:
        members: scores of members, shape (members,).
        others: scores of the others, shape (others,).
        fpr: false positive rate, at least 0 and below 1.

    Raises:
        ValueError: one is empty.

    """
    check_examples(members=members)
    check_examples(others=others)
    allowed = int(round(fpr * len(others), 9))
    limit = np.sort(others)[len(others) - 1 - allowed]
    return float((members > limit).mean())


def _balanced_accuracy(accused: NDArray[np.bool_], member: NDArray[np.bool_]) -> Score:
    check_both_kinds(member)
    samples = {"members": accused[member] / 2, "others": ~accused[~member] / 2}
    return Score(samples, min(len(each) for each in samples.values()))
