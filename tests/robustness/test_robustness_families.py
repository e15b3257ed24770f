"""Which family a task belongs to."""

from __future__ import annotations

import pytest

from orchestrator.robustness.families import FAMILIES, corruption, family
from workers.contracts import Corruption
from workers.registry import TASKS


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("nominal", "clean"),
        ("shifted-cifar10_1", "natural shift"),
        ("shifted-cifar10_c-fog-3", "published weather"),
        ("shifted-cifar10_c-jpeg_compression-3", "published digital"),
        ("impulse_noise-3", "noise"),
        ("glass_blur-5-imagenet", "blur"),
        ("fog-1", "weather"),
        ("jpeg-2", "digital"),
        ("uniform_input_noise-0.5", "input noise"),
        ("fgsm-0.03", "adversarial"),
        ("outliers-svhn", "other data"),
        ("training_images-100", "other data"),
        ("not_installed_here-3", "other shift"),
    ],
)
def test_family(label, expected):
    assert family(label) == expected


def test_every_task_has_a_family_and_every_corruption_one_of_the_four():
    for name in TASKS.names():
        assert family(name) in FAMILIES
        if issubclass(TASKS.get(name), Corruption):
            assert family(name) in ("noise", "blur", "weather", "digital"), name
            assert corruption(f"{name}-3") == ("", name)
            assert corruption(f"shifted-cifar10_c-{name}-3") == ("cifar10_c", name)
        else:
            assert corruption(name) == ("", "")


@pytest.mark.parametrize(
    ("label", "source"),
    [
        ("fog-3", ("", "fog")),
        ("fog-3-imagenet", ("imagenet", "fog")),
        ("shifted-cifar10_c-fog-3", ("cifar10_c", "fog")),
        ("shifted-cifar10_c-3-fog", ("cifar10_c", "fog")),
        ("fgsm-0.1", ("", "")),
    ],
)
def test_severities_of_one_source_make_one_corruption_error(label, source):
    assert corruption(label) == source
