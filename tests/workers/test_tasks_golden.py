"""Frozen results of every corruption on four tiny images.

Run this file as a script to write them anew. That changes what all later results mean, so raise the
``version`` of the corruption that changed in the same commit and say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.contracts import Component
from workers.evaluation.inputs import corrupt_block
from workers.registry import TASKS

Options = Mapping[str, int | str]
GOLDEN = Path(__file__).parents[1] / "golden" / "corruptions.npz"
CORRUPTIONS = (
    "brightness",
    "contrast",
    "defocus_blur",
    "elastic_transform",
    "gaussian_blur",
    "gaussian_noise",
    "glass_blur",
    "impulse_noise",
    "jpeg",
    "motion_blur",
    "pixelate",
    "shot_noise",
    "speckle_noise",
    "zoom_blur",
)
CASES = [
    (name, options)
    for name in CORRUPTIONS
    for severity in (1, 2, 3, 4, 5)
    for options in ({"severity": severity}, {"severity": severity, "severities": "imagenet"})
]


def images() -> NDArray[np.uint8]:
    """Four 12 × 12 colour images: a ramp, a checkerboard, a disc and stripes; integers only."""
    y, x = np.mgrid[:12, :12]
    ramp = np.stack([x * 21, y * 21, (x + y) * 11], -1)
    board = np.stack([(x // 3 + y // 3) % 2 * 200 + 30, (x // 2) % 2 * 90, (y // 4) % 2 * 255], -1)
    disc = ((x - 6) ** 2 + (y - 5) ** 2 < 16)[..., None] * np.array([180, 90, 40]) + 25
    stripes = np.stack([x * y % 256, (x * 37) % 256, (y * 53) % 256], -1)
    return np.stack([ramp, board, disc, stripes]).astype(np.uint8)


def corrupted(name: str, options: Options) -> NDArray[np.uint8]:
    task = TASKS.create(Component(name, options))
    return corrupt_block(images(), task, f"golden/{name}", 0)


def label(name: str, options: Options) -> str:
    return "-".join([name, *map(str, options.values())])


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_corruption_equals_its_golden_result(name, options):
    with np.load(GOLDEN, allow_pickle=False) as golden:
        expected = golden[label(name, options)].astype(int)
    difference = np.abs(corrupted(name, options).astype(int) - expected)
    # Vector units round float32 differently, which truncation turns into one level here and there.
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.02


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, **{label(*case): corrupted(*case) for case in CASES})
