"""What every registered task promises, own or another package's."""

from __future__ import annotations

import dataclasses
import importlib
import inspect

import numpy as np
import pytest
import torch

from workers.contracts import PlugIn, Task
from workers.evaluation.inputs import corrupt_block
from workers.registry import TASKS

NAMES = TASKS.names()
WITH_SEVERITY = [
    n for n in NAMES if "severity" in {f.name for f in dataclasses.fields(TASKS.get(n))}
]
WITH_TABLES = [
    n for n in NAMES if "severities" in {f.name for f in dataclasses.fields(TASKS.get(n))}
]
# By their published tables, which change the kind of the corruption besides its strength.
REQUIRED = {"shifted": {"data": "cifar10_1"}, "outliers": {"data": "svhn"}}
QUICK = {"autoattack": {"steps": 5, "targets": 2, "queries": 20}}
NOT_ORDERED = {"elastic_transform", "frost", "glass_blur", "saturate", "spatter"}
SHAPES = [(5, 3, 32, 32), (3, 1, 8, 8), (2, 3, 9, 14)]


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randint(0, 256, shape, generator=seeded()).float() / 255


def changes(name: str, **options: str) -> list[float]:
    """By how many grey levels each severity changes rough ramps, on average."""
    ramps = np.linspace(0, 255, 32)[None, :, None, None] * np.ones((8, 1, 32, 3))
    rough = np.random.default_rng(0).uniform(-60, 60, ramps.shape)
    clean = np.clip(ramps + rough, 0, 255).astype(np.uint8)
    tasks = [TASKS.get(name)(severity=s, **options) for s in (1, 2, 3, 4, 5)]
    after = [corrupt_block(clean, task, "k", 0) for task in tasks]
    return [float(np.abs(images - clean.astype(float)).mean()) for images in after]


@pytest.mark.parametrize("name", NAMES)
def test_file_defines_one_plug_in(name):
    module = importlib.import_module(TASKS.get(name).__module__)
    own = [
        c
        for _, c in inspect.getmembers(module, inspect.isclass)
        if issubclass(c, PlugIn) and c.__module__ == module.__name__
    ]
    assert own == [TASKS.get(name)]


@pytest.mark.parametrize("name", NAMES)
def test_corrupts_tells_the_truth(name):
    task = TASKS.get(name)
    assert issubclass(task, Task)
    assert task.corrupts == (task.corrupt is not Task.corrupt)


@pytest.mark.parametrize("name", NAMES)
def test_attacks_tells_the_truth(name):
    task = TASKS.get(name)(**REQUIRED.get(name, {}))
    assert task.attacks == (type(task).attack is not Task.attack)
    assert task.passes > 1 if task.attacks else task.passes == 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [n for n in NAMES if TASKS.get(n).attacks])
def test_attack_is_pure_and_stays_in_the_cube(name, shape):
    task, before = TASKS.get(name)(**QUICK.get(name, {})), images(shape)
    weights = torch.randn(before[0].numel(), 5, generator=seeded()) / 10
    labels = torch.arange(len(before)) % 5
    copy, random_state = before.clone(), torch.get_rng_state()
    attacked = [
        task.attack(lambda x: x.flatten(1) @ weights, before, labels, seeded()) for _ in "ab"
    ]
    assert attacked[0].shape == before.shape
    assert 0 <= attacked[0].min() <= attacked[0].max() <= 1
    assert not attacked[0].requires_grad
    assert torch.equal(before, copy), "the input was changed"
    assert torch.equal(torch.get_rng_state(), random_state), "global randomness was used"
    assert torch.equal(*attacked), "not repeatable"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stage", ["corrupt", "perturb"])
def test_stage_is_pure(name, shape, stage):
    task, before = TASKS.get(name)(**REQUIRED.get(name, {})), images(shape)
    copy, random_state = before.clone(), torch.get_rng_state()
    after = getattr(task, stage)(before, seeded())
    assert after.shape == before.shape
    assert after.dtype == before.dtype
    assert after.isfinite().all()
    assert torch.equal(before, copy), "the input was changed"
    assert torch.equal(torch.get_rng_state(), random_state), "global randomness was used"
    assert torch.equal(after, getattr(task, stage)(before, seeded())), "not repeatable"


@pytest.mark.parametrize("name", WITH_SEVERITY)
def test_severity_grows(name):
    change = changes(name)
    assert change[0] > 0
    if name not in NOT_ORDERED:
        assert change == sorted(change)


@pytest.mark.parametrize("name", WITH_TABLES)
def test_imagenet_has_severities_of_its_own(name):
    imagenet = changes(name, severities="imagenet")
    assert min(imagenet) > 0
    assert imagenet != changes(name, severities="cifar")
    assert TASKS.get(name)() == TASKS.get(name)(severities="cifar")
