import pytest

from orchestrator.spec.labels import label
from workers.contracts import Component

FOLDERS = {"train": "a", "test": "b"}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("wt", {}, "wt"),
        ("ft", {"norm": "l2"}, "ft-l2"),
        ("my.package:Fog", {"severity": 3}, "Fog-3"),
        ("shifted", {"data": "cifar10_1"}, "shifted-cifar10_1"),
        ("shifted", {"data": {"cifar10_1": None}}, "shifted-cifar10_1"),
        # Where files lie makes no name, what is chosen of them does.
        ("shifted", {"data": {"parquet": FOLDERS}}, "shifted-parquet"),
        ("shifted", {"data": {"imagefolder": {**FOLDERS, "size": 8}}}, "shifted-imagefolder-8"),
        (
            "shifted",
            {"data": {"cifar10_c": {"folder": "x", "corruption": "fog", "severity": 3}}},
            "shifted-cifar10_c-fog-3",
        ),
        (
            "shifted",
            {"data": {"parquet": FOLDERS}, "classes": {"a": "b", "c": "d"}, "name": "sketches"},
            "shifted-parquet-sketches",
        ),
        # Mappings that name no data set: their keys, as ever.
        ("timm", {"options": {"drop": 0.1, "act": "relu"}}, "timm-drop-act"),
        ("timm", {"options": {"head": {"width": 3}}}, "timm-head"),
    ],
)
def test_labels(name: str, options: dict, expected: str) -> None:
    assert label(Component(name, options)) == expected
