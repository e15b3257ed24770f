"""Data sets that replace the networks' own, compared with them by the names of their classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orchestrator.plan.fit import check_fit
from orchestrator.spec import NetworkSpec, TaskSpec
from workers.contracts import Component, DataError, Training


def folder(root: Path, name: str, *classes: str) -> Component:
    for label in classes:
        (root / name / label).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(root / name / label / "0.png")
    return Component("imagefolder", {"train": name, "test": name, "size": 4})


def network(data: Component) -> NetworkSpec:
    recipe = Training(epochs=1)
    return NetworkSpec(
        name="net", model=Component("resnet8"), data=data, training=recipe, retraining=recipe
    )


def shifted(data: Component, **options: Any) -> TaskSpec:
    named = {"data": {data.name: dict(data.options)}, **options}
    return TaskSpec(
        label="shifted-imagefolder",
        task=Component("shifted", named),
        distribution="test",
        place="s.yaml:9:5: tasks.test[0]",
    )


def test_classes_of_the_same_names_fit(tmp_path: Path) -> None:
    own = network(folder(tmp_path, "own", "bird", "cat", "dog"))
    check_fit([shifted(folder(tmp_path, "a", "cat", "dog"))], [own], tmp_path)
    other = folder(tmp_path, "b", "car", "tabby")
    check_fit([shifted(other, classes={"tabby": "cat"})], [own], tmp_path)


def test_a_class_that_a_network_lacks_is_told_with_its_place(tmp_path: Path) -> None:
    fits, lacks = (network(folder(tmp_path, n, "cat", f"dog{n}")) for n in ("", "s"))
    task = shifted(folder(tmp_path, "a", "dog"))
    check_fit([task], [fits], tmp_path)
    message = (
        r"^s\.yaml:9:5: tasks\.test\[0\]: shifted-imagefolder does not fit net: the network has no "
        r"class 'dog' .*did you mean 'dogs'\?$"
    )
    with pytest.raises(DataError, match=message):
        check_fit([task], [fits, lacks], tmp_path)


def test_a_map_to_a_class_that_a_network_lacks_is_told(tmp_path: Path) -> None:
    own = network(folder(tmp_path, "own", "cat", "dog"))
    task = shifted(folder(tmp_path, "a", "tabby"), classes={"tabby": "catt"})
    with pytest.raises(DataError, match="classes: the network has no class 'catt', did you mean"):
        check_fit([task], [own], tmp_path)


def test_classes_are_no_label_maps(tmp_path: Path) -> None:
    task = shifted(folder(tmp_path, "a", "cat"))
    with pytest.raises(DataError, match=r"has one class per image, .* have a class per pixel"):
        check_fit([task], [network(Component("voc", {"size": 8}))], tmp_path)


@pytest.mark.parametrize("task", [Component("nominal"), Component("outliers", {"data": "svhn"})])
def test_what_is_of_none_of_the_network_s_classes_fits(task: Component, tmp_path: Path) -> None:
    spec = TaskSpec(label="t", task=task, distribution="other")
    check_fit([spec], [network(folder(tmp_path, "own", "cat"))], tmp_path)
