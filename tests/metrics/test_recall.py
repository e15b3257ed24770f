from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.metrics.recall import (
    class_examples,
    class_recall,
    recall_deviation,
    recall_range,
    worst_class_recall,
)

Pairs = list[tuple[int, int]]


def test_recall_by_hand() -> None:
    label = np.array([0, 0, 0, 0, 1, 1, 3], np.int16)
    predicted = np.array([0, 0, 0, 1, 1, 5, 0], np.int16)
    assert class_recall(label, predicted, 4) == pytest.approx([0.75, 0.5, np.nan, 0], nan_ok=True)
    assert class_examples(label, 4).tolist() == [4, 2, 0, 1]


def test_spread_over_classes_by_hand() -> None:
    recall = np.array([[0.9, 0.8, 0.3], [0.5, np.nan, 0.7], [np.nan] * 3])
    assert worst_class_recall(recall) == pytest.approx([0.3, 0.5, np.nan], nan_ok=True)
    assert recall_range(recall) == pytest.approx([0.6, 0.2, np.nan], nan_ok=True)
    deviation = [np.std([0.9, 0.8, 0.3]), 0.1, np.nan]
    assert recall_deviation(recall) == pytest.approx(deviation, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_recalls_weighted_by_examples_give_accuracy(pairs: Pairs) -> None:
    label, predicted = np.array(pairs).T
    recall = np.nan_to_num(class_recall(label, predicted, 5))
    right = (recall * class_examples(label, 5)).sum()
    assert right == pytest.approx((label == predicted).sum())
    assert worst_class_recall(class_recall(label, predicted, 5)) <= right / len(pairs) + 1e-12


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1),
    st.randoms(use_true_random=False),
)
def test_the_order_of_examples_does_not_matter(pairs: Pairs, random: Random) -> None:
    before = class_recall(*np.array(pairs).T, 5)
    random.shuffle(pairs)
    np.testing.assert_array_equal(class_recall(*np.array(pairs).T, 5), before)


@pytest.mark.parametrize(
    ("label", "predicted", "match"),
    [
        ([0, 3], [0, 1], "labels from 0 to 2, found 0 to 3"),
        ([-1, 2], [0, 1], "labels from 0 to 2, found -1 to 2"),
        ([0.5], [0], "whole numbers"),
        ([0, 1], [0], "label 2, predicted 1"),
        ([], [], "at least one example"),
    ],
)
def test_what_does_not_fit_is_refused(label: list[float], predicted: list[int], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        class_recall(np.array(label), np.array(predicted), 3)
