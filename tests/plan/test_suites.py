"""Keys of tasks on published files: told apart from each other and from what is generated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orchestrator.plan import make_plan
from orchestrator.spec.loading import load_sweep
from workers.images.cifar_names import CIFAR_10

Keys = Callable[..., dict[str, str]]


@pytest.fixture
def keys(tiny: Callable[..., Path], tmp_path: Path) -> Keys:
    """Plan networks on ten folders of CIFAR-10's classes, with fog and JPEG of CIFAR-10-C."""
    for name in CIFAR_10:
        (tmp_path / "data" / "own" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "data" / "own" / name / "0.png")
    folder = tmp_path / "data" / "CIFAR-10-C"
    folder.mkdir()
    np.save(folder / "labels.npy", np.zeros(5, np.uint8))
    for name in ("fog", "jpeg_compression"):
        np.save(folder / f"{name}.npy", np.zeros((5, 32, 32, 3), np.uint8))
    data = {"imagefolder": {"train": "own", "test": "own", "size": 32}}

    def plan(*tasks: Any) -> dict[str, str]:
        network = {"model": "resnet8", "data": data, "training": {"epochs": 1}}
        file = tiny(networks=[network], tasks={"test": list(tasks)})
        return {one.label: one.key for one in make_plan(load_sweep(file)).tasks}

    return plan


def test_every_condition_has_a_key_of_its_own(keys: Keys) -> None:
    options = {"severity": [1, 2], "only": ["fog", "jpeg"]}
    planned = keys(
        {"official_corruptions": {"data": "cifar10_c", **options}}, {"common_corruptions": options}
    )
    assert len(set(planned.values())) == len(planned) == 9
    assert [*planned][1:4] == [
        "shifted-cifar10_c-fog-1",
        "shifted-cifar10_c-fog-2",
        "shifted-cifar10_c-jpeg-1",
    ]


def test_a_suite_s_tasks_have_the_keys_that_they_have_alone(keys: Keys) -> None:
    together = keys({"official_corruptions": {"data": "cifar10_c", "only": ["fog", "jpeg"]}})
    jpeg = {"cifar10_c": {"corruption": "jpeg_compression", "severity": 3}}
    apart = keys(
        {"shifted": {"data": {"cifar10_c": {"corruption": "fog"}}}}, {"shifted": {"data": jpeg}}
    )
    assert list(together.values()) == list(apart.values())


def test_where_the_files_lie_makes_no_key(keys: Keys, tmp_path: Path) -> None:
    suite = {"data": "cifar10_c", "only": ["fog"]}
    before = keys({"official_corruptions": suite})
    (tmp_path / "data" / "CIFAR-10-C").rename(tmp_path / "elsewhere")
    moved = {"cifar10_c": {"folder": str(tmp_path / "elsewhere")}}
    assert keys({"official_corruptions": {**suite, "data": moved}}) == before
