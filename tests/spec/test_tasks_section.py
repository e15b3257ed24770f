"""Where in a sweep file a task may be named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.spec.loading import SweepError, load_sweep

Write = Callable[..., Path]
OUTLIERS = {"outliers": {"data": "svhn"}}


@pytest.mark.parametrize("side", ["train", "test"])
def test_outliers_are_on_no_side_of_the_shift(tiny: Write, side: str) -> None:
    tasks = {"train": ["nominal"]} | {side: ["jpeg", OUTLIERS]}
    with pytest.raises(SweepError) as caught:
        load_sweep(tiny(tasks=tasks))
    (line,) = caught.value.lines
    expected = f"tasks.{side}[1]: 'outliers' has no labels, so no accuracy: move it to 'other'"
    assert line.endswith(expected)


def test_what_was_trained_on_is_on_no_side_of_the_shift(tiny: Write) -> None:
    tasks = {"train": ["nominal"], "test": [{"training_images": {"count": 5}}]}
    with pytest.raises(SweepError, match=r"tasks.test\[0\]: 'training_images' has no test images"):
        load_sweep(tiny(tasks=tasks))


def test_beside_it_they_are(tiny: Write) -> None:
    members = {"training_images": {"count": 10}}
    spec = load_sweep(tiny(tasks={"train": ["nominal"], "other": [OUTLIERS, members]}))
    assert [task.label for task in spec.tasks] == [
        "nominal",
        "outliers-svhn",
        "training_images-10",
    ]


def test_what_outliers_are_is_looked_up(tiny: Write) -> None:
    tasks = {"train": ["nominal"], "other": [{"outliers": {"data": "svhm"}}]}
    with pytest.raises(SweepError, match="unknown data set 'svhm', did you mean 'svhn'"):
        load_sweep(tiny(tasks=tasks))
