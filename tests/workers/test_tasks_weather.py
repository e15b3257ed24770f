"""Snow, frost and fog against slow float64 references, one image at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage

from workers.contracts import Task
from workers.corruptions.frost_textures import frost_textures
from workers.tasks.fog import STRENGTH_AND_DECAY, Fog
from workers.tasks.frost import WEIGHTS, Frost
from workers.tasks.saturate import Saturate
from workers.tasks.snow import SNOWFALL, Snow
from workers.tasks.spatter import Spatter

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


def zoomed(layer: Image, factor: float) -> Image:
    middle = layer
    for axis, size in enumerate(layer.shape):
        cut = math.ceil(size / factor)
        start = (size - cut) // 2
        middle = np.take(middle, range(start, start + cut), axis)
    large = ndimage.zoom(middle, factor, order=1, mode="nearest")
    top, left = ((new - old) // 2 for new, old in zip(large.shape, layer.shape, strict=True))
    return large[top : top + layer.shape[0], left : left + layer.shape[1]]


def smeared(layer: Image, radius: int, sigma: float, angle: float) -> Image:
    rows, columns = np.indices(layer.shape)
    total, weights = np.zeros(layer.shape), 0.0
    for tap in range(2 * radius + 1):
        weight = math.exp(-(tap**2) / (2 * sigma**2))
        down = math.ceil(tap * math.sin(math.radians(angle)) - 0.5)
        right = math.ceil(tap * math.cos(math.radians(angle)) - 0.5)
        y = np.clip(rows + down, 0, layer.shape[0] - 1)
        total += weight * layer[y, np.clip(columns + right, 0, layer.shape[1] - 1)]
        weights += weight
    return total / weights


@cases
def test_snow_equals_its_definition(shape, table, severity):
    mean, deviation, zoom, threshold, radius, sigma, weight = SNOWFALL[table][severity - 1]
    draw = seeded()
    noise = torch.empty(COUNT, 1, *shape[:2]).normal_(mean, deviation, generator=draw)
    angles = torch.empty(COUNT).uniform_(-135, -45, generator=draw).tolist()

    def reference(i: int, x: Image) -> Image:
        flakes = zoomed(noise[i, 0].double().numpy(), zoom)
        flakes = np.floor(np.clip(np.where(flakes < threshold, 0, flakes), 0, 1) * 255)
        snow = np.floor(smeared(flakes, radius, sigma, angles[i]) + 1e-9)[..., None] / 255
        grey = (x @ GREY)[..., None] if shape[2] == 3 else x
        x = weight * x + (1 - weight) * np.maximum(x, grey * 1.5 + 0.5)
        return x + snow + np.rot90(snow, 2)

    assert_close(Snow(severity=severity, severities=table), photos(shape), reference)


@cases
def test_frost_equals_its_definition(shape, table, severity):
    image_weight, ice_weight = WEIGHTS[table][severity - 1]
    textures = frost_textures()[:, 2::5, 2::5] if table == "cifar" else frost_textures()
    draw = seeded()
    which = torch.randint(5, (COUNT,), generator=draw)
    start = torch.randint(textures.shape[1], (COUNT, 2), generator=draw)

    def reference(i: int, x: Image) -> Image:
        shift = (-start[i, 0].item(), -start[i, 1].item())
        ice = np.roll(textures[which[i]], shift, (0, 1))[: shape[0], : shape[1]] / 255
        if shape[2] == 1:
            ice = (ice @ GREY)[..., None]
        return image_weight * x + ice_weight * ice

    assert_close(Frost(severity=severity, severities=table), photos(shape), reference)


def cloud(i: int, size: int, decay: float, draws: list[Image]) -> Image:
    """Diamond-square with one pixel at a time, wrapping around."""
    heights, step, wibble, left = np.zeros((size, size)), size, 100.0, iter(draws)

    def fill(first: tuple[int, int], around: list[tuple[int, int]]) -> None:
        noise = next(left)[i]
        for a, y in enumerate(range(first[0], size, step)):
            for b, x in enumerate(range(first[1], size, step)):
                corners = [heights[(y + dy) % size, (x + dx) % size] for dy, dx in around]
                heights[y, x] = sum(corners) / 4 + noise[a, b] * wibble**2

    while step >= 2:
        h = step // 2
        fill((h, h), [(-h, -h), (-h, h), (h, -h), (h, h)])
        fill((0, h), [(-h, 0), (h, 0), (0, -h), (0, h)])
        fill((h, 0), [(-h, 0), (h, 0), (0, -h), (0, h)])
        wibble, step = wibble / decay, h
    heights -= heights.min()
    return heights / heights.max()


@cases
def test_fog_equals_its_definition(shape, table, severity):
    strength, decay = STRENGTH_AND_DECAY[table][severity - 1]
    size = 8
    while size < max(shape):
        size *= 2
    draw, draws, cells = seeded(), [], 1
    while cells < size:
        draws += [
            torch.empty(COUNT, cells, cells).uniform_(-1, 1, generator=draw).double().numpy()
            for _ in range(3)
        ]
        cells *= 2

    def reference(i: int, x: Image) -> Image:
        fog = cloud(i, size, decay, draws)[: shape[0], : shape[1], None]
        return (x + strength * fog) * x.max() / (x.max() + strength)

    assert_close(Fog(severity=severity, severities=table), photos(shape), reference)


def test_fog_is_as_often_bright_as_dark():
    # The noise is symmetric about 0, so a map and one minus it are equally likely.
    bright = Fog(severity=3).corrupt(torch.ones(2000, 1, 32, 32), seeded()).mean((1, 2, 3))
    maps = (bright * 1.75 - 1) / 0.75
    assert maps.mean().item() == pytest.approx(0.5, abs=5 * maps.std().item() / 2000**0.5)
    assert maps.std() > 0.05


def test_frost_takes_every_texture_and_place_equally_often():
    ice = Frost(severity=1).corrupt(torch.zeros(4000, 3, 8, 8), seeded()).mean((2, 3))
    expected = (
        0.2 * torch.from_numpy(frost_textures()[:, 2::5, 2::5]).double().mean((0, 1, 2)) / 255
    )
    margin = 5 * ice.std(0).double() / 4000**0.5
    assert ((ice.mean(0) - expected).abs() < margin).all()


@pytest.mark.parametrize("task", [Snow, Frost, Fog, Spatter, Saturate])
def test_large_and_small_images(task):
    for shape in ((224, 160, 3), (8, 8, 3), (8, 9, 1)):
        images = planes(photos(shape)[:1])
        corrupted = task(severity=5, severities="imagenet").corrupt(images, seeded())
        assert corrupted.shape == images.shape
        assert corrupted.isfinite().all()
        assert shape[2] == 1 or (corrupted - images).abs().mean() > 0.01
