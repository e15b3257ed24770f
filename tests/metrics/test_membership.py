from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from orchestrator.metrics.membership import correctness_attack, threshold_attack, tpr_at_fpr
from orchestrator.metrics.thresholds import class_thresholds, divides, judged_half

RNG = np.random.default_rng
Images = list[tuple[int, int, bool]]
images = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 2), st.booleans()), min_size=2, max_size=40
).filter(lambda found: len({one[2] for one in found}) == 2)


def best_by_trying(score: NDArray[Any], member: NDArray[np.bool_]) -> float:
    """Balanced accuracy of the best threshold among the scores."""
    return max((np.mean(score[member] >= t) + np.mean(score[~member] < t)) / 2 for t in score)


def test_the_gap_attack_by_hand() -> None:
    member = np.arange(200) < 100
    correct = np.where(member, True, np.arange(200) % 100 < 70)
    found = correctness_attack(correct, member)
    assert found.balanced_accuracy.value == pytest.approx(0.65)
    assert found.auroc.value == pytest.approx(0.65)
    assert found.tpr_at_low_fpr == 0


def test_separated_scores_are_all_found() -> None:
    member, label = np.arange(4000) < 2000, np.arange(4000) % 10
    score = RNG(0).random(4000) * 0.2 + np.where(member, 0.8, 0.0) + label
    found = threshold_attack(score, score, label, member, 10)
    assert found.balanced_accuracy.value == 1
    apart = threshold_attack(score - label, score - label, label, member, 10)
    assert (apart.balanced_accuracy.value, apart.auroc.value) == (1, 1)
    assert apart.tpr_at_low_fpr == 1


def test_scores_without_a_secret_are_worth_a_coin() -> None:
    label, member = RNG(0).integers(0, 10, 40_000), RNG(1).random(40_000) < 0.5
    shadow, victim = RNG(2).random((2, 40_000))
    found = threshold_attack(shadow, victim, label, member, 10)
    # Standard error of the mean of two shares of 10,000 each: 0.0035.
    assert found.balanced_accuracy.value == pytest.approx(0.5, abs=4 * 0.0035)
    assert found.auroc.value == pytest.approx(0.5, abs=0.012)
    assert found.tpr_at_low_fpr < 0.004


def test_thresholds_that_saw_the_image_would_find_a_secret_that_is_none() -> None:
    """Why one half chooses and the other is judged: the shadow here is the victim."""
    label, member = RNG(0).integers(0, 1000, 4000), RNG(1).random(4000) < 0.5
    score = RNG(2).random(4000)
    threshold = class_thresholds(score, label, member, 1000)
    accused = score >= threshold[label]
    seen = (accused[member].mean() + (~accused[~member]).mean()) / 2
    assert seen > 0.64
    honest = threshold_attack(score, score, label, member, 1000).balanced_accuracy.value
    assert honest == pytest.approx(0.5, abs=4 * 0.011)


@given(images)
def test_thresholds_are_the_best_of_each_class(found: Images) -> None:
    score, label, member = (np.array(column) for column in zip(*found, strict=True))
    thresholds = class_thresholds(score, label, member, 3)
    for one in range(3):
        mine = label == one
        if len(set(member[mine])) < 2:
            mine = np.ones(len(label), bool)
        accused = score[mine] >= thresholds[one]
        own = member[mine]
        reached = (accused[own].mean() + (~accused[~own]).mean()) / 2
        assert reached == pytest.approx(best_by_trying(score[mine], own))
        better = np.unique(score[mine][score[mine] > thresholds[one]])[1:]
        for t in better:
            higher = score[mine] >= t
            assert (higher[own].mean() + (~higher[~own]).mean()) / 2 < reached


def test_thresholds_by_hand() -> None:
    score = np.array([0.9, 0.7, 0.3, 0.1, 5.0, 4.0, 1.0])
    label = np.array([0, 0, 0, 0, 2, 2, 1])
    member = np.array([True, True, False, False, True, False, True])
    # Class 1 has one member and nothing else: of all, 4 members and 3 others, 0.7 to 5 is best cut
    # midway between 0.7 and 0.3, with one of three others accused.
    assert class_thresholds(score, label, member, 3) == pytest.approx([0.5, 0.5, 4.5])


def test_a_threshold_below_everything_is_the_smallest_score() -> None:
    score, member = np.array([1.0, 2.0]), np.array([True, False])
    assert class_thresholds(score, np.zeros(2, int), member, 1) == [1.0]


def test_equal_scores_of_two_classes_are_two_thresholds() -> None:
    score, label = np.array([2.0, 1.0, 1.0, 0.0]), np.array([0, 0, 1, 1])
    member = np.array([False, True, True, False])
    # Class 0 is best accused as a whole, down to the score that class 1 begins with.
    assert class_thresholds(score, label, member, 2) == pytest.approx([1.0, 0.5])


def test_between_neighbouring_numbers_the_upper_one_is_the_threshold() -> None:
    score = np.array([np.nextafter(1, 2), 1.0])
    found = class_thresholds(score, np.zeros(2, int), np.array([True, False]), 1)
    assert (score >= found).tolist() == [True, False]


@given(images)
def test_both_halves_have_as_many_of_every_kind(found: Images) -> None:
    _, label, member = (np.array(column) for column in zip(*found, strict=True))
    judged = judged_half(label, member, 3)
    for one in range(3):
        for kind in (True, False):
            group = judged[(label == one) & (member == kind)]
            assert group.tolist() == [bool(i % 2) for i in range(len(group))]


@pytest.mark.parametrize(
    ("members", "others", "enough"),
    [
        ([0, 0], [1, 1], True),
        ([0, 1, 2], [0, 0], False),
        ([0, 0], [0, 1, 2], False),
        ([0], [1], False),
    ],
)
def test_halves_need_two_of_each_kind_that_are_of_one_class(
    members: list[int], others: list[int], enough: bool
) -> None:
    label = np.array(members + others)
    member = np.arange(len(label)) < len(members)
    assert divides(label, member, 3) is enough
    if not enough:
        with pytest.raises(ValueError, match="expected members and others"):
            threshold_attack(label, label, label, member, 3)


def test_no_image_chooses_and_is_judged() -> None:
    label, member = RNG(0).integers(0, 3, 300), RNG(1).random(300) < 0.5
    shadow, victim = RNG(2).random((2, 300))
    judged = judged_half(label, member, 3)
    before = threshold_attack(shadow, victim, label, member, 3).balanced_accuracy.value
    shadow[judged] = 99
    victim[~judged] = -99
    assert threshold_attack(shadow, victim, label, member, 3).balanced_accuracy.value == before


def test_half_precision_gives_what_its_values_give() -> None:
    label, member = RNG(0).integers(0, 3, 300), RNG(1).random(300) < 0.5
    score = (RNG(2).random(300) + member * 0.3).astype(np.float16)
    label16 = label.astype(np.int16)
    half = threshold_attack(score, score, label16, member, 3)
    double = threshold_attack(score.astype(float), score.astype(float), label, member, 3)
    assert half.balanced_accuracy.value == double.balanced_accuracy.value
    assert half.auroc.value == double.auroc.value
    assert half.tpr_at_low_fpr == double.tpr_at_low_fpr


def test_members_found_with_few_accused() -> None:
    others = np.arange(2000.0)
    # Two of 2,000 may be accused, so that scores must exceed the third largest, 1997.
    members = np.array([0.0, 1996.5, 1997.0, 1997.5, 3000.0])
    assert tpr_at_fpr(members, others) == pytest.approx(2 / 5)
    assert tpr_at_fpr(members, others[:999]) == pytest.approx(4 / 5)
    assert tpr_at_fpr(members, others, fpr=0) == pytest.approx(1 / 5)
    # 0.29 · 100 is 28.999999999999996: 29 may be accused, whose scores exceed 70.
    assert tpr_at_fpr(np.array([70.0, 71.0]), np.arange(100.0), fpr=0.29) == 0.5


@given(
    st.lists(st.integers(0, 20), min_size=1).map(np.array),
    st.lists(st.integers(0, 20), min_size=1).map(np.array),
    st.floats(0, 0.99),
)
def test_no_threshold_finds_more_with_as_few_accused(
    members: NDArray[np.int64], others: NDArray[np.int64], fpr: float
) -> None:
    tried = [
        (members >= t).mean()
        for t in range(22)
        if (others >= t).sum() <= round(fpr * len(others), 9)
    ]
    assert tpr_at_fpr(members, others, fpr) == pytest.approx(max(tried))


@pytest.mark.parametrize("member", [np.ones(4, bool), np.zeros(4, bool), np.array([1, 0, 1, 0])])
def test_without_both_kinds_there_is_no_attack(member: NDArray[Any]) -> None:
    ones = np.ones(4, int)
    with pytest.raises(ValueError, match="member"):
        threshold_attack(ones, ones, ones, member, 2)
    with pytest.raises(ValueError, match="member"):
        correctness_attack(ones, member)
