"""Spatter against a slow reference, one pixel or image at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage

from workers.contracts import Task
from workers.tasks.spatter import LIQUIDS, Spatter

Image = NDArray[np.float64]
SEVERITIES = (1, 2, 3, 4, 5)
TABLES = ("cifar", "imagenet")
SHAPES = [(32, 32, 3), (13, 21, 1)]
GREY = np.array([0.299, 0.587, 0.114])
COUNT = 4


def photos(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Smooth random colours with some texture, full range."""
    rough = np.random.default_rng(7).uniform(0, 255, (COUNT, *shape))
    smooth = ndimage.gaussian_filter(rough, (0, 2, 2, 0)) * 4 - 384
    return np.clip(smooth + 0.2 * rough, 0, 255).astype(np.uint8)


def seeded(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def planes(images: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def assert_close(task: Task, images: NDArray[np.uint8], reference: Callable[..., Image]) -> None:
    """Compare grey levels, truncated as the caller of a task does."""
    corrupted = task.corrupt(planes(images), seeded()).permute(0, 2, 3, 1).numpy()
    expected = np.stack([reference(i, x / 255) for i, x in enumerate(images)])
    ours, theirs = ((np.clip(x, 0, 1) * 255).astype(int) for x in (corrupted, expected))
    assert np.abs(ours - theirs).max() <= 2
    assert np.abs(ours - theirs).mean() <= 0.15


def cases(function: Callable[..., None]) -> Callable[..., None]:
    for name, values in (("shape", SHAPES), ("table", TABLES), ("severity", SEVERITIES)):
        function = pytest.mark.parametrize(name, values)(function)
    return function


def chamfer(edges: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Distance from the nearest edge by trying every edge, in ten-thousandths of a pixel."""
    y, x = np.indices(edges.shape)
    best = np.full(edges.shape, 200_000)
    for row, column in np.argwhere(edges):
        long = np.maximum(abs(y - row), abs(x - column))
        short = np.minimum(abs(y - row), abs(x - column))
        shallow = (long - 2 * short) * 10_000 + short * 21_969
        steep = (long - short) * 21_969 + (2 * short - long) * 14_000
        best = np.minimum(best, np.where(2 * short <= long, shallow, steep))
    return best


def canny(levels: NDArray[np.int64]) -> NDArray[np.bool_]:
    dx, dy = (ndimage.sobel(levels, axis, mode="nearest") for axis in (1, 0))
    length = np.pad(abs(dx) + abs(dy), 1)
    kept = np.zeros(levels.shape, dtype=bool)
    for y, x in np.argwhere(length[1:-1, 1:-1] > 50):
        angle = math.degrees(math.atan2(abs(dy[y, x]), abs(dx[y, x])))
        here, around = length[y + 1, x + 1], length[y : y + 3, x : x + 3]
        if angle < 22.5:
            kept[y, x] = here > around[1, 0] and here >= around[1, 2]
        elif angle > 67.5:
            kept[y, x] = here > around[0, 1] and here >= around[2, 1]
        elif dx[y, x] * dy[y, x] > 0:
            kept[y, x] = here > around[0, 0] and here > around[2, 2]
        else:
            kept[y, x] = here > around[0, 2] and here > around[2, 0]
    groups, _ = ndimage.label(kept, np.ones((3, 3)))
    return kept & np.isin(groups, groups[kept & (length[1:-1, 1:-1] > 150)])


def drops(liquid: Image, intensity: float) -> Image:
    levels = (liquid * 255).astype(int) % 256
    box = np.ones((3, 3), dtype=int)
    depth = ndimage.correlate(np.minimum(chamfer(canny(levels)), 200_000), box, mode="mirror")
    depth //= 90_000
    seen, inverse, counts = np.unique(depth, return_inverse=True, return_counts=True)
    if len(seen) > 1:
        share = (counts.cumsum() - counts[0]) / (counts.sum() - counts[0])
        depth = np.round(255 * share).astype(int)[inverse].reshape(depth.shape)
    kernel = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    embossed = ndimage.correlate(depth, kernel, mode="mirror").clip(0, 255)
    lit = levels * np.round(ndimage.correlate(embossed, box, mode="mirror") / 9)
    return lit / max(lit.max(), 1) * intensity


@cases
def test_spatter_equals_its_definition(shape, table, severity):
    mean, deviation, blur, threshold, intensity, kind = LIQUIDS[table][severity - 1]
    noise = torch.empty(COUNT, *shape[:2]).normal_(mean, deviation, generator=seeded())
    colour = np.array([175, 238, 238] if kind == "water" else [63, 42, 20]) / 255
    if shape[2] == 1:
        colour = (colour @ GREY)[None]

    def reference(i: int, x: Image) -> Image:
        liquid = ndimage.gaussian_filter(noise[i].double().numpy(), blur, mode="nearest")
        if kind == "water":
            return x + drops(np.where(liquid < threshold, 0, liquid), intensity)[..., None] * colour
        mask = ndimage.gaussian_filter((liquid > threshold) * 1.0, intensity, mode="nearest")
        mask = np.where(mask < 0.8, 0, mask)[..., None]
        return x * (1 - mask) + mask * colour

    assert_close(Spatter(severity=severity, severities=table), photos(shape), reference)


def test_water_shines_with_its_intensity_and_colour():
    water = Spatter(severity=1).corrupt(torch.zeros(50, 3, 32, 32), seeded())
    brightest = water.amax((2, 3)) * 255
    assert torch.allclose(brightest, torch.tensor([87.5, 119, 119]).expand(50, 3))


def test_mud_sticks_by_four_fifths_or_not_at_all():
    kept = Spatter(severity=4).corrupt(torch.ones(50, 3, 32, 32), seeded())[:, 2]
    share = (1 - kept) / (1 - 20 / 255)
    assert ((share == 0) | (share > 0.7999)).all()
    assert 0.01 < (share > 0).float().mean() < 0.2
