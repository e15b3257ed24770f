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
    assert found.agreement == pytest.approx(0.6)
    assert found.churn == pytest.approx(0.4)
    assert (found.newly_wrong, found.newly_right, found.both_wrong) == (0.2, 0.1, 0.3)
    assert found.error_overlap == pytest.approx(3 / 6)
    assert found.p_value == pytest.approx(stats.binomtest(1, 3).pvalue)


@given(triples)
def test_the_bound_on_agreement_and_sums_of_shares(triples: Triples) -> None:
    label, parent, pruned = np.array(triples).T
    found = compare_predictions(label, parent, pruned)
    right, pruned_right = (parent == label).mean(), (pruned == label).mean()
    assert found.agreement >= right + pruned_right - 1 - 1e-12
    assert found.newly_wrong - found.newly_right == pytest.approx(right - pruned_right)
    assert found.both_wrong + found.newly_right == pytest.approx(1 - right)
    assert 0 <= found.p_value <= 1


@given(triples)
def test_a_network_agrees_with_itself(triples: Triples) -> None:
    label, parent, _ = np.array(triples).T
    found = compare_predictions(label, parent, parent)
    assert (found.agreement, found.churn, found.newly_wrong, found.newly_right) == (1, 0, 0, 0)
    assert found.p_value == 1
    assert found.error_overlap == 1 or (parent == label).all()


@given(triples, st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(triples: Triples, random: Random) -> None:
    before = compare_predictions(*np.array(triples).T)
    random.shuffle(triples)
    np.testing.assert_equal(compare_predictions(*np.array(triples).T), before)


def test_without_any_error_there_is_no_overlap() -> None:
    assert np.isnan(compare_predictions(*np.zeros((3, 4), int)).error_overlap)


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
