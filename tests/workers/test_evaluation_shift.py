"""Tests on another data set in place of the network's own."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn

from workers.contracts import Component, DataError, DataSet, Images, Runtime, TaskCell
from workers.evaluation.evaluate import evaluate
from workers.evaluation.shift import images_of

NOMINAL = TaskCell(key="k0", label="nominal", task=Component("nominal"))


def images(count: int, classes: int) -> Images:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    return Images(pixels, (np.arange(count) % classes).astype(np.int64))


def shifted(folder: Path, other: Images, **options: Any) -> TaskCell:
    """Write ``other`` as Parquet, and name it as the test set of a task."""
    encoded = []
    for pixels in other.pixels:
        Image.fromarray(pixels).save(buffer := BytesIO(), "png")
        encoded.append(buffer.getvalue())
    table = pa.table({"image": encoded, "label": other.labels})
    named = {"label": {"_type": "ClassLabel", "names": other.classes}} if other.classes else {}
    described = json.dumps({"info": {"features": named}})
    pq.write_table(table.replace_schema_metadata({"huggingface": described}), folder / "o.parquet")
    data = {"parquet": {"train": "o.parquet", "test": "o.parquet"}}
    task = Component("shifted", {"data": data, **options})
    return TaskCell(key="k1", label="shifted", task=task)


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


OWN = replace(images(9, 3), classes=("bird", "cat", "dog"))


def test_classes_are_matched_by_name_whatever_their_numbers(tmp_path: Path) -> None:
    other = replace(images(6, 2), classes=("dog", "cat"))
    seen = images_of(shifted(tmp_path, other), OWN, tmp_path)
    assert seen.labels.tolist() == [2, 1, 2, 1, 2, 1]
    np.testing.assert_array_equal(seen.pixels, other.pixels)


def test_images_of_classes_that_the_map_leaves_out_are_not_tested_on(tmp_path: Path) -> None:
    other = replace(images(8, 4), classes=("car", "tabby", "tiger cat", "poodle"))
    mapped = {"tiger cat": "cat", "tabby": "cat", "poodle": "dog"}
    seen = images_of(shifted(tmp_path, other, classes=mapped), OWN, tmp_path)
    assert seen.labels.tolist() == [1, 1, 2, 1, 1, 2]
    np.testing.assert_array_equal(seen.pixels, other.pixels[[1, 2, 3, 5, 6, 7]])


def test_maps_of_two_tasks_on_the_same_files_are_kept_apart(tmp_path: Path) -> None:
    other = replace(images(4, 2), classes=("a", "b"))
    first = shifted(tmp_path, other, classes={"a": "cat"})
    second = shifted(tmp_path, other, classes={"a": "dog"})
    assert images_of(first, OWN, tmp_path).labels.tolist() == [1, 1]
    assert images_of(second, OWN, tmp_path).labels.tolist() == [2, 2]


def test_a_class_that_the_network_lacks_is_refused(tmp_path: Path) -> None:
    other = replace(images(4, 2), classes=("dog", "catt"))
    with pytest.raises(DataError, match=r"does not fit: .* no class 'catt' .* mean 'cat'"):
        images_of(shifted(tmp_path, other), OWN, tmp_path)


def test_a_map_to_classes_without_an_image_is_refused(tmp_path: Path) -> None:
    other = replace(images(4, 2), classes=("dog", "cat", "bird"))
    with pytest.raises(DataError, match="no image of the classes that it is tested on"):
        images_of(shifted(tmp_path, other, classes={"bird": "bird"}), OWN, tmp_path)


def test_the_last_class_need_not_be_among_the_network_s_test_images(tmp_path: Path) -> None:
    own = Images(OWN.pixels[:2], OWN.labels[:2], OWN.classes)
    seen = images_of(shifted(tmp_path, replace(images(3, 3), classes=OWN.classes)), own, tmp_path)
    assert seen.labels.tolist() == [0, 1, 2]


def test_images_of_another_size_are_refused_with_the_option_that_scales_them(
    tmp_path: Path,
) -> None:
    large = Images(np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1]))
    with pytest.raises(DataError, match=r"has 8 x 8 x 3 .* give parquet the option 'size': 4"):
        images_of(shifted(tmp_path, large), images(9, 3), tmp_path)


def test_pixels_of_classes_that_a_map_leaves_out_are_of_no_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = np.tile(np.array([[0, 1], [2, 255]], np.uint8), (2, 2, 2))
    own = Images(images(2, 1).pixels, np.zeros((2, 4, 4), np.uint8), ("sky", "sea"))

    @dataclass(frozen=True, kw_only=True)
    class Maps(DataSet):
        labels = "map"

        def classes(self, root: Path) -> tuple[str, ...]:
            return ("sea", "sky", "boat")

        def load(self, split: str, root: Path) -> Images:
            return Images(own.pixels, maps)

    monkeypatch.setattr(sys.modules[__name__], "Maps", Maps, raising=False)
    data = {f"{__name__}:Maps": {}}
    task = Component("shifted", {"data": data, "classes": {"sea": "sea", "sky": "sky"}})
    cell = TaskCell(key="k2", label="shifted", task=task)
    seen = images_of(cell, own, tmp_path)
    np.testing.assert_array_equal(seen.labels[0, :2, :2], [[1, 0], [255, 255]])
