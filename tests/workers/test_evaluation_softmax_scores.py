"""What is kept of the logits, against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workers.evaluation.predictions import COLUMNS
from workers.evaluation.softmax_scores import predictions, softmax_scores

HALF = {"energy", "brier", "entropy", "modified_entropy"}


def scores(logits: list[list[float]], labels: list[int]) -> dict[str, list[float]]:
    found = softmax_scores(torch.tensor(logits), torch.tensor(labels))
    return {name: column.tolist() for name, column in found.items()}


def test_a_network_that_knows_nothing():
    """Four equal logits of 2: p = 1/4, energy 2 + log 4, entropy log 4, Brier score 3/4."""
    found = scores([[2.0] * 4], [3])
    assert found["p_true"] == found["confidence"] == [0.25]
    assert found["predicted"] == [0]
    assert found["energy"] == pytest.approx([2 + math.log(4)])
    assert found["entropy"] == pytest.approx([math.log(4)])
    assert found["brier"] == pytest.approx([0.75])
    expected = 0.75 * math.log(4) + 3 * 0.25 * math.log(4 / 3)
    assert found["modified_entropy"] == pytest.approx([expected])


@given(
    arrays.arrays(np.float32, (3, 5), elements=st.floats(-12, 12, width=32)),
    st.lists(st.integers(0, 4), min_size=3, max_size=3),
)
def test_scores_equal_their_formulas_in_double_precision(logits, labels):
    exact = logits.astype(np.float64)
    p = np.exp(exact) / np.exp(exact).sum(1, keepdims=True)
    truth = np.eye(5)[labels]
    p_y = (p * truth).sum(1)
    others = np.where(truth == 1, 0, p * np.log(1 - p)).sum(1)
    found = scores(logits.tolist(), labels)
    near = {"rel": 1e-4, "abs": 2e-6}
    assert found["energy"] == pytest.approx(np.log(np.exp(exact).sum(1)), **near)
    assert found["brier"] == pytest.approx(((p - truth) ** 2).sum(1), **near)
    assert found["entropy"] == pytest.approx(-(p * np.log(p)).sum(1), **near)
    assert found["modified_entropy"] == pytest.approx(
        -(1 - p_y) * np.log(p_y) - others, rel=1e-4, abs=2e-5
    )


def test_a_network_that_is_certain_has_finite_scores():
    right, wrong = (scores([[200.0, 0.0, 0.0]], [label]) for label in (0, 1))
    assert right["modified_entropy"] == pytest.approx([0], abs=1e-4)
    assert right["brier"] == right["entropy"] == [0]
    assert wrong["brier"] == [2]
    # −log p_y = 200, and −log(1 − p) = 200 − log 2 of the class that it is sure of.
    assert wrong["modified_entropy"] == pytest.approx([400 - math.log(2)])


def test_without_a_label_what_compares_with_it_is_unknown():
    known, unknown = (scores([[1.0, 3.0, 2.0]], [label]) for label in (1, -1))
    lost = {"p_true", "brier", "modified_entropy"}
    assert all(math.isnan(unknown[name][0]) for name in lost)
    assert all(unknown[name] == known[name] for name in known.keys() - lost - {"label"})
    assert unknown["label"] == [-1]


def test_batches_are_joined_in_their_precisions():
    logits = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    labels = np.arange(7) % 3
    whole = predictions("k", [logits], labels)
    parts = predictions("k", torch.split(logits, 2), labels)
    assert whole.task == "k"
    for name, dtype in COLUMNS.items():
        assert getattr(parts, name).dtype == dtype
        assert np.array_equal(getattr(parts, name), getattr(whole, name))
        assert (dtype == np.float16) == (name in HALF)


def test_huge_logits_stay_finite_in_half_precision():
    found = predictions("k", [torch.tensor([[1e6, -1e6], [-1e6, 1e6]])], np.zeros(2, np.int64))
    assert all(np.isfinite(getattr(found, name)).all() for name in COLUMNS)
