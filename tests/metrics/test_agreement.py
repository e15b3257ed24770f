from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from orchestrator.metrics.agreement import compare_predictions, mcnemar_p

Triples = list[tuple[int, int, int]]
triples = st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=30)


def test_by_hand() -> None:
    label = np.zeros(10, int)
    parent = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    pruned = np.array([0, 0, 0, 0, 1, 2, 0, 1, 2, 2])
    found = compare_predictions(label, parent, pruned)
    assert found.agreement.value == pytest.approx(0.6)
    assert found.churn.value == pytest.approx(0.4)
    assert (found.newly_wrong.value, found.newly_right.value) == (0.2, 0.1)
    assert found.wrong_if_parent_right.value == pytest.approx(2 / 6)
    assert found.error_overlap.value == pytest.approx(3 / 6)
    assert (found.wrong_if_parent_right.size, found.error_overlap.size) == (6, 6)
    assert found.p_value == pytest.approx(stats.binomtest(1, 3).pvalue)


@given(triples)
def test_the_bound_on_agreement_and_sums_of_shares(triples: Triples) -> None:
    label, parent, pruned = np.array(triples).T
    found = compare_predictions(label, parent, pruned)
    right, pruned_right = (parent == label).mean(), (pruned == label).mean()
    lost, won = found.newly_wrong.value, found.newly_right.value
    assert found.agreement.value >= right + pruned_right - 1 - 1e-12
    assert found.agreement.value + found.churn.value == pytest.approx(1)
    assert lost - won == pytest.approx(right - pruned_right)
    if right:
        assert found.wrong_if_parent_right.value * right == pytest.approx(lost)
    assert 0 <= found.p_value <= 1


@given(triples)
def test_a_network_agrees_with_itself(triples: Triples) -> None:
    label, parent, _ = np.array(triples).T
    found = compare_predictions(label, parent, parent)
    assert (found.agreement.value, found.churn.value) == (1, 0)
    assert (found.newly_wrong.value, found.newly_right.value) == (0, 0)
    assert found.p_value == 1
    assert found.error_overlap.value == 1 or (parent == label).all()


@given(triples, st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(triples: Triples, random: Random) -> None:
    before = compare_predictions(*np.array(triples).T)
    random.shuffle(triples)
    after = compare_predictions(*np.array(triples).T)
    assert after.p_value == before.p_value
    for metric in ("agreement", "newly_wrong", "wrong_if_parent_right", "error_overlap"):
        expected = getattr(before, metric).value
        assert getattr(after, metric).value == pytest.approx(expected, nan_ok=True), metric


def test_without_any_error_there_is_no_overlap() -> None:
    assert np.isnan(compare_predictions(*np.zeros((3, 4), int)).error_overlap.value)


def test_what_a_parent_that_is_never_right_keeps_is_unknown() -> None:
    label = np.zeros(4, int)
    found = compare_predictions(label, label + 1, label)
    assert np.isnan(found.wrong_if_parent_right.value)
    assert (found.newly_wrong.value, found.newly_right.value) == (0, 1)


def test_mcnemar_is_the_binomial_test() -> None:
    first, second = np.mgrid[0:12, 0:12]
    p = mcnemar_p(first, second)
    assert p[0, 0] == 1
    for i, j in zip(first.ravel(), second.ravel(), strict=True):
        if i + j:
            assert p[i, j] == pytest.approx(stats.binomtest(i, i + j).pvalue)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="label 3, parent 2, pruned 3"):
        compare_predictions(np.zeros(3), np.zeros(2), np.zeros(3))
