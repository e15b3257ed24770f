from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from orchestrator.metrics.class_tests import class_level_tests
from orchestrator.metrics.multiple_tests import holm

RNG = np.random.default_rng


def test_welchs_test_of_recall_beside_the_mean_accuracy_of_the_population() -> None:
    dense, pruned = RNG(0).uniform(0.7, 0.9, (6, 4)), RNG(1).uniform(0.4, 0.9, (5, 4))
    accuracy, pruned_accuracy = dense.mean(axis=1), pruned.mean(axis=1)
    found = class_level_tests(dense, accuracy, pruned, pruned_accuracy)
    oracle = stats.ttest_ind(
        dense - accuracy.mean(), pruned - pruned_accuracy.mean(), equal_var=False
    )
    assert found.t == pytest.approx(oracle.statistic)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.freedom == pytest.approx(oracle.df)
    assert found.adjusted_p == pytest.approx(holm(oracle.pvalue))
    shift = pruned.mean(axis=0) - pruned.mean() - dense.mean(axis=0) + dense.mean()
    assert found.shift == pytest.approx(shift)


def test_identical_populations_have_a_statistic_of_0() -> None:
    recall = RNG(0).uniform(0.7, 0.9, (5, 3))
    found = class_level_tests(recall, recall.mean(axis=1), recall, recall.mean(axis=1))
    assert found.t == pytest.approx([0, 0, 0], abs=1e-12)
    assert found.adjusted_p == pytest.approx([1, 1, 1])
    assert found.shift == pytest.approx([0, 0, 0], abs=1e-12)


def test_a_loss_that_all_classes_share_is_no_finding_and_one_class_alone_is() -> None:
    dense = RNG(0).normal(0.9, 0.01, (10, 5))
    pruned = RNG(1).normal(0.7, 0.01, (10, 5))
    pruned[:, 2] -= 0.2
    found = class_level_tests(dense, dense.mean(axis=1), pruned, pruned.mean(axis=1))
    assert found.adjusted_p[2] < 1e-6
    assert found.t[2] > 0
    assert found.shift == pytest.approx([0.04, 0.04, -0.16, 0.04, 0.04], abs=0.02)


def test_classes_that_cannot_be_tested() -> None:
    dense, pruned = RNG(0).uniform(0.7, 0.9, (2, 4, 4))
    dense[:, 0], pruned[:, 0] = 1, 1
    dense[:, 1], pruned[:, 1] = np.nan, np.nan
    accuracy = np.full(4, 0.8)
    found = class_level_tests(dense, accuracy, pruned, accuracy)
    assert np.isnan(found.adjusted_p).tolist() == [True, True, False, False]
    assert found.adjusted_p[2:] == pytest.approx(holm(found.p[2:]))
    assert found.shift[0] == pytest.approx(0)


def test_one_network_is_no_sample() -> None:
    dense, pruned = RNG(0).uniform(size=(1, 3)), RNG(1).uniform(size=(5, 3))
    found = class_level_tests(dense, dense.mean(axis=1), pruned, pruned.mean(axis=1))
    assert np.isnan(found.p).all()
    assert not np.isnan(found.shift).any()


def test_classes_or_networks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="same classes"):
        class_level_tests(np.ones((3, 4)), np.ones(3), np.ones((3, 5)), np.ones(3))
    with pytest.raises(ValueError, match="same networks, found 3 and 2"):
        class_level_tests(np.ones((3, 4)), np.ones(2), np.ones((3, 4)), np.ones(3))
