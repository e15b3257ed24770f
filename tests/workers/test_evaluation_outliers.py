"""Images of none of the classes, and images of the training, in place of the test images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from workers.contracts import (
    Component,
    DataError,
    DataSet,
    Images,
    PermanentError,
    Runtime,
    TaskCell,
)
from workers.evaluation import other_data
from workers.evaluation.evaluate import evaluate
from workers.evaluation.predictions import Predictions

NOMINAL = TaskCell(key="k0", label="nominal", task=Component("nominal"))
OTHER = TaskCell(
    key="k1",
    label="outliers-digits",
    task=Component("outliers", {"data": "digits"}),
    fingerprint="as planned",
)
MEMBERS = TaskCell(
    key="k2", label="training_images-5", task=Component("training_images", {"count": 5})
)


def images(count: int, side: int = 4, seed: int = 0) -> Images:
    draw = np.random.default_rng(seed)
    pixels = draw.integers(0, 256, (count, side, side, 1)).astype(np.uint8)
    return Images(pixels, np.arange(count, dtype=np.int64) % 3)


@dataclass(frozen=True, kw_only=True)
class Foreign(DataSet):
    """More classes than the network has, and as many images as it was loaded times."""

    loaded = 0

    def fingerprint(self, root: Path) -> str:
        return "as planned"

    def load(self, split: str, root: Path) -> Images:
        type(self).loaded += 1
        return Images(images(7, seed=1).pixels, np.arange(7, dtype=np.int64) + 90)


@pytest.fixture(autouse=True)
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.registry.DATA_SETS.create", lambda component: Foreign())
    monkeypatch.setattr(Foreign, "loaded", 0)
    other_data._LAST.clear()


def predicted(
    *cells: TaskCell, clean: Images, members: Callable[[int], Images] | None = None
) -> list[Predictions]:
    torch.manual_seed(0)
    made = evaluate(
        nn.Sequential(nn.Flatten(), nn.Linear(clean.pixels[0].size, 3)),
        cells,
        clean,
        mean=torch.tensor([0.5]),
        std=torch.tensor([0.25]),
        fingerprint="f",
        runtime=Runtime(cache=Path("unused")),
        device="cpu",
        members=members,
    )
    return list(made)  # type: ignore[arg-type]


def test_outliers_are_predicted_like_test_images_and_have_no_label() -> None:
    made, nominal, again = predicted(OTHER, NOMINAL, OTHER, clean=images(5))
    assert made.label.tolist() == [-1] * 7
    assert nominal.label.tolist() == [0, 1, 2, 0, 1]
    (same,) = predicted(NOMINAL, clean=images(7, seed=1))
    for name in ("predicted", "confidence", "energy", "entropy"):
        assert np.array_equal(getattr(made, name), getattr(same, name))
        assert np.array_equal(getattr(made, name), getattr(again, name))
    for name in ("p_true", "brier", "modified_entropy"):
        assert np.isnan(getattr(made, name)).all()
    assert Foreign.loaded == 1


def test_outliers_of_another_shape_are_refused() -> None:
    message = "its images are 4 x 4 x 1 pixels, the network's own 6 x 6 x 1"
    with pytest.raises(DataError, match=message):
        predicted(OTHER, clean=images(5, side=6))


def test_outliers_that_changed_since_the_plan_are_refused() -> None:
    with pytest.raises(DataError, match="not those that the sweep was planned with"):
        predicted(replace(OTHER, fingerprint="another"), clean=images(5))


def test_segmentation_has_no_outliers() -> None:
    maps = Images(images(5).pixels, np.zeros((5, 4, 4), np.uint8))
    with pytest.raises(PermanentError, match="outliers-digits needs a network that classifies"):
        predicted(OTHER, clean=maps)


def test_members_are_predicted_with_their_labels() -> None:
    asked: list[int] = []

    def members(count: int) -> Images:
        asked.append(count)
        return images(4, seed=2)

    (made,) = predicted(MEMBERS, clean=images(9), members=members)
    (same,) = predicted(NOMINAL, clean=images(4, seed=2))
    assert asked == [5]
    assert np.array_equal(made.label, same.label)
    assert np.array_equal(made.p_true, same.p_true)


def test_without_a_training_there_are_no_members() -> None:
    with pytest.raises(PermanentError, match="nobody knows what the network was trained on"):
        predicted(MEMBERS, clean=images(9))
