from __future__ import annotations

import numpy as np
import pytest

from orchestrator.analysis import resampling
from orchestrator.analysis.resampling import example_counts, resampled_errors, smoothed_parents


def test_every_bootstrap_test_set_has_as_many_examples_as_the_test_set() -> None:
    pieces = list(example_counts(70, 500, seed=0))
    counts = np.concatenate([piece for _, piece in pieces])
    assert counts.shape == (500, 70)
    assert (counts.sum(axis=1) == 70).all()
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.2)
    assert counts.var(axis=0).mean() == pytest.approx(69 / 70, rel=0.02)


def test_errors_are_the_counts_of_the_wrong_examples() -> None:
    wrong = np.random.default_rng(1).random((9, 40)) < 0.3
    (_, counts), *_ = example_counts(40, 20, seed=3)
    expected = [[sum(row[cell]) for cell in wrong] for row in counts]
    np.testing.assert_array_equal(resampled_errors(wrong, 20, seed=3), expected)


def test_the_size_of_the_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = np.random.default_rng(1).random((30, 40)) < 0.3
    whole = resampled_errors(wrong, 50, seed=0)
    monkeypatch.setattr(resampling, "PIECE", 7 * 40)
    monkeypatch.setattr(resampling, "CELLS", 4)
    np.testing.assert_array_equal(resampled_errors(wrong, 50, seed=0), whole)


def test_equal_networks_stay_equal_and_another_seed_draws_others() -> None:
    wrong = np.tile(np.random.default_rng(1).random(40) < 0.3, (2, 1))
    errors = resampled_errors(wrong, 50, seed=0)
    np.testing.assert_array_equal(errors[:, 0], errors[:, 1])
    assert (errors != resampled_errors(wrong, 50, seed=1)).any()


def test_smoothed_parents_have_the_mean_and_covariance_of_the_measured_ones() -> None:
    gained = np.array([[100.0, 300, 260], [-50, 250, 100], [400, 10, 70]])
    drawn = smoothed_parents(gained, 200_000, seed=0)
    np.testing.assert_array_equal(drawn, np.rint(drawn))
    np.testing.assert_allclose(drawn.mean(axis=0), gained.mean(axis=1), atol=2)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(gained), rtol=0.03, atol=300)


def test_smoothed_parents_use_what_was_measured() -> None:
    gained = np.array([[7.0, np.nan, np.nan], [np.nan] * 3, [100, 200, np.nan]])
    drawn = smoothed_parents(gained, 100_000, seed=0)
    assert (drawn[:, 0] == 7).all()
    assert np.isnan(drawn[:, 1]).all()
    assert drawn[:, 2].std() == pytest.approx(np.std([100, 200], ddof=1), rel=0.02)
