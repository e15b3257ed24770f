"""Seconds of one thread to corrupt 1,000 colour images of 32 × 32, severities 1, 3 and 5 averaged.

``vectorised`` is this package; ``per image`` is a plain loop over NumPy, SciPy and Pillow that
follows the published definition of each corruption. Both run interleaved; medians are shown.

    python benchmarks/corruptions.py
"""

from __future__ import annotations

import colorsys
import time
from collections.abc import Callable
from statistics import mean, median

import numpy as np
import torch
from per_image_corruptions import DRAW, LOOPS, Levels
from scipy.ndimage import gaussian_filter

from workers.contracts import Component
from workers.evaluation.inputs import BLOCK, corrupt_block
from workers.registry import TASKS
from workers.tasks.brightness import ADDEND

IMAGES, ROUNDS, SEVERITIES = 1000, 5, (1, 3, 5)
RANDOM = ("glass_blur", "motion_blur", "elastic_transform")


def photos() -> Levels:
    rough = DRAW.uniform(0, 255, (IMAGES, 32, 32, 3))
    smooth = gaussian_filter(rough, (0, 2, 2, 0)) * 4 - 384
    return np.clip(smooth + 0.2 * rough, 0, 255).astype(np.uint8)


def per_image(images: Levels, name: str, severity: int) -> Levels:
    loop = LOOPS[name]
    return np.stack([np.uint8(np.clip(loop(image, severity), 0, 1) * 255) for image in images])


def vectorised(images: Levels, name: str, severity: int) -> Levels:
    task = TASKS.create(Component(name, {"severity": severity}))
    blocks = range(-(-len(images) // BLOCK))
    return np.concatenate([corrupt_block(images, task, name, block) for block in blocks])


def check_loops(images: Levels) -> None:
    """Refuse to time a loop that computes something else."""
    for pixel in images[0].reshape(-1, 3)[::50]:
        hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255))
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + ADDEND["cifar"][2], 1))
        np.testing.assert_allclose(
            LOOPS["brightness"](pixel[None, None], 3)[0, 0], expected, atol=1e-9
        )
    for name in LOOPS:
        ours, theirs = (f(images[:200], name, 3).astype(int) for f in (vectorised, per_image))
        if name.endswith("noise") or name in RANDOM:
            changes = [np.abs(made - images[:200].astype(int)).mean() for made in (ours, theirs)]
            np.testing.assert_allclose(changes[0], changes[1], rtol=0.05)
        else:
            assert np.abs(ours - theirs).max() <= 1, name


def seconds(corrupt: Callable[[Levels, str, int], Levels], images: Levels, name: str) -> float:
    def one(severity: int) -> float:
        start = time.process_time()
        corrupt(images, name, severity)
        return time.process_time() - start

    return mean(one(severity) for severity in SEVERITIES)


def main() -> None:
    torch.set_num_threads(1)
    images = photos()
    check_loops(images)
    rounds = [
        {(f, name): seconds(f, images, name) for name in LOOPS for f in (vectorised, per_image)}
        for _ in range(ROUNDS)
    ]
    print(f"{'corruption':18}{'vectorised':>12}{'per image':>12}{'ratio':>8}")
    totals = [0.0, 0.0]
    for name in LOOPS:
        ours, theirs = (median(r[f, name] for r in rounds) for f in (vectorised, per_image))
        totals = [totals[0] + ours, totals[1] + theirs]
        print(f"{name:18}{ours:12.4f}{theirs:12.4f}{theirs / ours:8.1f}")
    print(f"{'sum':18}{totals[0]:12.4f}{totals[1]:12.4f}{totals[1] / totals[0]:8.1f}")


if __name__ == "__main__":
    main()
