from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis import AnalysisOptions, analyse
from orchestrator.analysis.mean_iou import image_shares, mean_iou
from orchestrator.analysis.potential import allowed_errors
from orchestrator.analysis.resampling import example_counts, resampled_errors

Counts = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]


def simulated(images: int, classes: int, seed: int = 0) -> Counts:
    """Few classes per image, of very different sizes, recognised now better and now worse."""
    draw = np.random.default_rng(seed)
    present = draw.random((images, classes)) < 0.12
    present[:, 0] = True
    labelled = np.where(present, draw.gamma(1, 20_000, present.shape), 0).astype(int)
    true_positive = (labelled * draw.beta(4.5, 1.5, present.shape)).astype(int)
    confused = present | (draw.random(present.shape) < 0.03)
    false_positive = np.where(confused, draw.gamma(0.5, 4000, present.shape), 0).astype(int)
    return true_positive, true_positive + false_positive, labelled


def test_by_hand() -> None:
    true_positive = np.array([[3, 1, 0], [1, 0, 0]])
    predicted = np.array([[4, 1, 0], [2, 0, 1]])
    labelled = np.array([[3, 2, 0], [2, 1, 0]])
    # Class 0: 4 of 6 + 5 − 4; class 1: 1 of 1 + 3 − 1; class 2 is not labelled.
    assert mean_iou(true_positive, predicted, labelled) == pytest.approx((4 / 7 + 1 / 3) / 2)
    # Image 0 adds (3 − 4/7·4)/7 = 5/49 and (1 − 1/3·2)/3 = 1/9, image 1 as much less.
    gained = 2 * (5 / 49 + 1 / 9) / 2
    shares = image_shares(true_positive, predicted, labelled)
    assert shares == pytest.approx([19 / 42 + gained, 19 / 42 - gained], abs=1e-9)


def test_one_class_per_image_and_equal_unions_make_it_a_mean_over_images() -> None:
    true_positive = np.array([[7], [2], [10]])
    shares = image_shares(true_positive, np.full((3, 1), 10), true_positive)
    assert shares == pytest.approx([0.7, 0.2, 1.0], abs=1e-9)


@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 2**32))
def test_the_mean_of_the_shares_is_the_mean_iou(images: int, classes: int, seed: int) -> None:
    counts = simulated(images, classes, seed)
    assert image_shares(*counts).mean() == pytest.approx(mean_iou(*counts), abs=2**-33 + 1e-15)


def test_a_perfect_network_has_equal_shares() -> None:
    _, _, labelled = simulated(50, 5)
    assert (image_shares(labelled, labelled, labelled) == 1).all()


@pytest.mark.parametrize("classes", [3, 21])
def test_the_bootstrap_of_the_shares_is_that_of_the_mean_iou(classes: int) -> None:
    counts = simulated(300, classes)
    drawn = np.concatenate([piece for _, piece in example_counts(300, 2000, 0)]).astype(float)
    inside, predicted, labelled = (drawn @ part for part in counts)
    direct = (inside / (predicted + labelled - inside)).mean(axis=1)
    wrong = 1 - image_shares(*counts)
    linear = 1 - resampled_errors(wrong[None], 2000, 0)[:, 0] / 300
    widths = [np.subtract(*np.quantile(values, [0.975, 0.025])) for values in (direct, linear)]
    assert widths[0] / widths[1] == pytest.approx(1, abs=0.1)
    assert np.corrcoef(direct, linear)[0, 1] > 0.95


def test_sums_are_exact_in_any_order() -> None:
    wrong = 1 - np.stack([image_shares(*simulated(200, 5, seed)) for seed in range(3)])
    order = np.random.default_rng(1).permutation(200)
    for (_, counts), (_, again) in zip(
        example_counts(200, 20, 0), example_counts(200, 20, 0), strict=True
    ):
        one = counts.astype(float) @ wrong.T
        other = again.astype(float)[:, order] @ wrong[:, order].T
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(resampled_errors(wrong, 20, 0), one.astype(np.float32))


def cells(*accuracies: float) -> pd.DataFrame:
    """A parent and its pruned networks, of these mean IoUs on 4 images."""
    rows = [
        ("net", 0, "wt" if level else "dense", "cascade" if level else "", level, level / 10,
         task, "train" if task == "nominal" else "test", accuracy + shift + spread)
        for task, shift in (("nominal", 0.0), ("fog", -0.25))
        for level, accuracy in enumerate(accuracies)
        for spread in [np.array([-0.5, 0.25, 0.25, 0.0])]
    ]  # fmt: skip
    columns = ["network", "seed", "method", "schedule", "level", "achieved_ratio"]
    return pd.DataFrame(rows, columns=[*columns, "task", "distribution", "correct"])


def test_potentials_compare_the_mean_iou_with_the_margin() -> None:
    # Whole errors of 4 images would allow none at δ = 0.01.
    table = cells(0.75, 0.75, 0.742, 0.739)
    found = analyse(table, AnalysisOptions(deltas=(0.01, 0.02), resamples=50))
    potentials = found.by_parent[found.by_parent["rule"] == "any"]
    by_delta = potentials.groupby("delta")["potential"].unique()
    assert {delta: values.tolist() for delta, values in by_delta.items()} == {
        0.01: [0.2],
        0.02: [0.3],
    }
    curve = found.curves[found.curves["task"] == "fog"].sort_values("level")
    assert curve["accuracy"].tolist() == pytest.approx([0.5, 0.5, 0.492, 0.489])
    assert found.excess["excess"].tolist() == pytest.approx([0, 0, 0], abs=1e-12)


def test_the_margin_of_what_is_not_counted_is_not_rounded() -> None:
    assert allowed_errors(0.005, 1449) == 7
    assert allowed_errors(0.005, 1449, whole=False) == 7.245
