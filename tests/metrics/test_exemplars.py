from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from orchestrator.metrics.exemplars import modal_label, pruning_identified_exemplars

shapes = st.tuples(st.integers(2, 9), st.integers(1, 8))
predictions = shapes.flatmap(lambda shape: arrays(np.int16, shape, elements=st.integers(0, 4)))


def test_by_hand() -> None:
    label = np.array([0, 0, 1, 1])
    dense = np.array([[0, 0, 1, 0], [0, 0, 1, 0], [1, 2, 1, 1]])
    pruned = np.array([[0, 1, 1, 1], [2, 1, 1, 1], [0, 0, 0, 1]])
    found = pruning_identified_exemplars(label, dense, pruned)
    assert found.exemplar.tolist() == [False, True, False, True]
    assert (found.count, found.fraction) == (2, 0.5)
    assert found.accuracy_on == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert found.accuracy_off == pytest.approx((2 / 3 + 1) / 2)
    assert found.few


def test_of_equally_frequent_labels_the_largest_is_the_mode() -> None:
    predicted = np.array([[1, 3, 0], [3, 3, 0], [1, 2, 7], [3, 2, 7], [0, 5, 9]])
    assert modal_label(predicted).tolist() == [3, 3, 7]


@given(predictions)
def test_the_mode_is_the_largest_that_counting_finds(predicted: NDArray[np.int16]) -> None:
    for column, mode in zip(predicted.T, modal_label(predicted), strict=True):
        labels, counts = np.unique(column, return_counts=True)
        assert mode == labels[counts == counts.max()].max()


@given(predictions)
def test_the_order_of_networks_does_not_matter(predicted: NDArray[np.int16]) -> None:
    assert modal_label(predicted[::-1]).tolist() == modal_label(predicted).tolist()


def test_without_ties_it_is_the_mode_of_scipy() -> None:
    predicted = np.random.default_rng(0).integers(0, 3, (31, 200))
    counts = np.sort([(predicted == k).sum(axis=0) for k in range(3)], axis=0)
    clear = counts[2] > counts[1]
    assert (modal_label(predicted) == stats.mode(predicted).mode)[clear].all()


@given(predictions)
def test_equal_populations_have_no_exemplars(predicted: NDArray[np.int16]) -> None:
    label = np.zeros(predicted.shape[1], int)
    found = pruning_identified_exemplars(label, predicted, predicted[::-1])
    assert found.count == 0
    assert np.isnan(found.accuracy_on)
    assert found.accuracy_off == pytest.approx((predicted == 0).mean())


def test_copies_of_one_network_have_no_exemplars_however_many() -> None:
    copies = np.tile(np.arange(5) % 3, (12, 1))
    found = pruning_identified_exemplars(np.zeros(5, int), copies, copies[:10])
    assert found.count == 0
    assert not found.few


def test_the_accuracies_of_both_parts_make_up_the_whole() -> None:
    label = np.random.default_rng(0).integers(0, 5, 300)
    dense, pruned = np.random.default_rng(1).integers(0, 5, (2, 10, 300))
    found = pruning_identified_exemplars(label, dense, pruned)
    whole = found.fraction * found.accuracy_on + (1 - found.fraction) * found.accuracy_off
    assert 0 < found.count < 300
    assert whole == pytest.approx((dense == label).mean())
    assert not found.few


def test_where_all_are_exemplars_there_is_no_accuracy_on_others() -> None:
    zeros, ones = np.zeros((2, 3), int), np.ones((2, 3), int)
    found = pruning_identified_exemplars(zeros[0], zeros, ones)
    assert (found.fraction, found.accuracy_on) == (1, 1)
    assert np.isnan(found.accuracy_off)


def test_one_network_is_no_population() -> None:
    with pytest.raises(ValueError, match="at least 2 networks in a population, found 1"):
        pruning_identified_exemplars(np.zeros(3), np.zeros((4, 3)), np.zeros((1, 3)))
