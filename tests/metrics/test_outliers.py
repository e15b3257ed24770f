from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from orchestrator.metrics.outliers import auroc, fpr_at_tpr

Scores = NDArray[np.int64]
scores = st.lists(st.integers(0, 9), min_size=1, max_size=30).map(np.array)


def test_by_hand_with_a_tie() -> None:
    inside, outside = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0])
    # 1 beats 0; 2 beats 0 and ties; 3 beats both: 4.5 of 6 pairs.
    found = auroc(inside, outside)
    assert found.value == pytest.approx(4.5 / 6)
    assert found.samples["inside"] == pytest.approx([1 / 2, 3 / 4, 1])
    # 0 is below all, 2 below one and ties with one of three; 3/4 is their mean.
    assert found.samples["outside"] == pytest.approx([1 - 3 / 4, 1 / 2 - 3 / 4])
    assert found.size == 2


@given(scores)
def test_equal_samples_are_not_told_apart(sample: Scores) -> None:
    assert auroc(sample, sample).value == pytest.approx(0.5)


@given(scores, scores)
def test_it_is_that_of_scikit_learn(inside: Scores, outside: Scores) -> None:
    truth = np.repeat([1, 0], [len(inside), len(outside)])
    both = np.concatenate([inside, outside])
    assert auroc(inside, outside).value == pytest.approx(roc_auc_score(truth, both))
    far = fpr_at_tpr(inside, outside)
    fpr, tpr, _ = roc_curve(truth, both, drop_intermediate=False)
    assert far == pytest.approx(fpr[tpr >= 0.95 - 1e-12].min())


@given(scores, scores)
def test_swapping_the_sides_mirrors_it_and_only_order_counts(
    inside: Scores, outside: Scores
) -> None:
    value = auroc(inside, outside).value
    assert auroc(outside, inside).value == pytest.approx(1 - value)
    assert auroc(np.exp(inside), np.exp(outside)).value == value
    assert auroc(inside[::-1], np.sort(outside)).value == pytest.approx(value)


def test_false_positives_at_95_percent() -> None:
    inside = np.arange(20.0)
    # 19 of 20 are at least 1, and so are 3 of these outliers, one of them equal.
    assert fpr_at_tpr(inside, np.array([0.0, 0.5, 1.0, 2.0, 30.0])) == pytest.approx(3 / 5)
    assert fpr_at_tpr(inside, np.array([-1.0, 2.0]), tpr=1) == 0.5
    assert fpr_at_tpr(inside + 100, inside) == 0


def test_fewer_than_20_images_must_all_be_accepted() -> None:
    assert fpr_at_tpr(np.arange(19.0), np.array([0.0, -1.0])) == 0.5


@pytest.mark.parametrize("examples", range(20, 400, 20))
def test_whole_numbers_of_images_are_not_rounded_up(examples: int) -> None:
    inside = np.arange(float(examples))
    assert fpr_at_tpr(inside, np.array([examples // 20 - 0.5])) == 0
    assert fpr_at_tpr(inside, np.array([examples // 20 + 0.0])) == 1
    # 0.07 · 100 is 7.000000000000001.
    assert fpr_at_tpr(np.arange(100.0), np.array([92.0, 93.0]), tpr=0.07) == 0.5


def test_what_is_no_score_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        auroc(np.array([1.0, np.nan]), np.ones(2))
    with pytest.raises(ValueError, match="at least one example"):
        auroc(np.ones(2), np.ones(0))
