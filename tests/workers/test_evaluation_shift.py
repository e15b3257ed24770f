"""Tests on another data set in place of the network's own."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn

from workers.contracts import Component, DataError, Images, Runtime, TaskCell
from workers.evaluation.evaluate import evaluate
from workers.evaluation.shift import images_of

NOMINAL = TaskCell(key="k0", label="nominal", task=Component("nominal"))


def images(count: int, classes: int) -> Images:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    return Images(pixels, (np.arange(count) % classes).astype(np.int64))


def shifted(folder: Path, other: Images) -> TaskCell:
    """Write ``other`` as Parquet, and name it as the test set of a task."""
    encoded = []
    for pixels in other.pixels:
        Image.fromarray(pixels).save(buffer := BytesIO(), "png")
        encoded.append(buffer.getvalue())
    pq.write_table(pa.table({"image": encoded, "label": other.labels}), folder / "other.parquet")
    data = {"parquet": {"train": "other.parquet", "test": "other.parquet"}}
    return TaskCell(key="k1", label="shifted", task=Component("shifted", {"data": data}))


def run(folder: Path, other: Images, clean: Images) -> list:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    return list(
        evaluate(
            network,
            [shifted(folder, other), NOMINAL],
            clean,
            mean=torch.full((3,), 0.5),
            std=torch.full((3,), 0.25),
            fingerprint="f",
            runtime=Runtime(cache=folder, data_root=folder),
            device="cpu",
        )
    )


def test_the_other_images_and_labels_are_predicted_in_the_network_s_own_scale(
    tmp_path: Path,
) -> None:
    other, clean = images(7, 3), images(11, 3)
    made, nominal = run(tmp_path, other, clean)
    again = run(tmp_path / ".", clean, other)
    assert np.array_equal(made.label, other.labels)
    assert np.array_equal(nominal.label, clean.labels)
    # Predicting it as the network's own test set gives the same.
    assert np.array_equal(made.p_true, again[1].p_true)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    message = "it has 4 x 4 x 3 pixels and labels up to 3, the network's own data have .* up to 2"
    with pytest.raises(DataError, match=message):
        run(tmp_path, images(8, 4), images(9, 3))


def test_classes_are_no_test_of_segmentation(tmp_path: Path) -> None:
    clean = images(9, 3)
    maps = Images(clean.pixels, np.zeros((9, 4, 4), np.uint8))
    with pytest.raises(DataError, match="shifted: its labels are not of the kind"):
        run(tmp_path, images(8, 3), maps)


def test_data_that_changed_since_the_plan_are_refused(tmp_path: Path) -> None:
    cell = replace(shifted(tmp_path, images(5, 3)), fingerprint="as planned")
    with pytest.raises(DataError, match="not those that the sweep was planned with"):
        images_of(cell, images(9, 3), tmp_path)
