"""Frozen results of snow, frost, fog, spatter and saturate on two tiny images.

Run this file as a script to write them anew. That changes what all later results mean, so raise the
``version`` of the corruption that changed in the same commit and say why.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.contracts import Component
from workers.evaluation.inputs import corrupt_block
from workers.registry import TASKS

GOLDEN = Path(__file__).parents[1] / "golden" / "weather.npz"
CASES = [
    (name, table, severity)
    for name in ("fog", "frost", "saturate", "snow", "spatter")
    for table in ("cifar", "imagenet")
    for severity in (1, 2, 3, 4, 5)
]


def images() -> NDArray[np.uint8]:
    """Two 32 × 32 colour images, a ramp with a disc and stripes; integers only."""
    y, x = np.mgrid[:32, :32]
    disc = ((x - 20) ** 2 + (y - 12) ** 2 < 64)[..., None] * np.array([90, -40, 10])
    ramp = np.stack([x * 5, y * 4 + 60, (x + y) * 3], -1) + disc
    stripes = np.stack([x * y % 256, (x * 37) % 256, (y * 53) % 256], -1)
    return np.stack([ramp.clip(0, 255), stripes]).astype(np.uint8)


def corrupted(name: str, table: str, severity: int) -> NDArray[np.uint8]:
    task = TASKS.create(Component(name, {"severity": severity, "severities": table}))
    return corrupt_block(images(), task, f"golden/{name}", 0)


@pytest.mark.parametrize(("name", "table", "severity"), CASES)
def test_weather_equals_its_golden_result(name, table, severity):
    with np.load(GOLDEN, allow_pickle=False) as golden:
        expected = golden[f"{name}-{table}-{severity}"].astype(int)
    difference = np.abs(corrupted(name, table, severity).astype(int) - expected)
    # Vector units round float32 differently, which truncation turns into one level here and there.
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.02


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, **{f"{n}-{t}-{s}": corrupted(n, t, s) for n, t, s in CASES})
