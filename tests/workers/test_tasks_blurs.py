"""The blurs and the elastic transform against plain float64 loops, handed the same draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import correlate, gaussian_filter, map_coordinates, zoom

from workers.contracts import Task
from workers.corruptions.levels import LIFT
from workers.tasks.defocus_blur import RADIUS_AND_DEVIATION as DISKS
from workers.tasks.defocus_blur import DefocusBlur, disk
from workers.tasks.elastic_transform import STRENGTH_DEVIATION_JITTER, ElasticTransform
from workers.tasks.glass_blur import DEVIATION_DISTANCE_SWEEPS, GlassBlur
from workers.tasks.motion_blur import RADIUS_AND_DEVIATION as LINES
from workers.tasks.motion_blur import MotionBlur
from workers.tasks.speckle_noise import DEVIATION, SpeckleNoise
from workers.tasks.zoom_blur import END_AND_STEP, ZoomBlur

Pixels = NDArray[np.float64]
CASES = [(table, severity) for table in ("cifar", "imagenet") for severity in (1, 2, 3, 4, 5)]
SHAPES = [(32, 32, 3), (8, 8, 1), (13, 21, 3)]
BLURS = [DefocusBlur, ElasticTransform, GlassBlur, MotionBlur, ZoomBlur]

every_case = pytest.mark.parametrize(("table", "severity"), CASES)


def photos(shape: tuple[int, int, int], count: int = 2) -> NDArray[np.uint8]:
    """Smooth random colours with some texture."""
    rough = np.random.default_rng(7).uniform(0, 255, (count, *shape))
    smooth = gaussian_filter(rough, (0, 2, 2, 0)) * 4 - 384
    return np.clip(smooth + 0.2 * rough, 0, 255).astype(np.uint8)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def uniform(*shape: int, draws: torch.Generator) -> Pixels:
    return torch.empty(shape).uniform_(-1, 1, generator=draws).double().numpy()


def levels(pixels: Pixels) -> NDArray[np.int64]:
    return (pixels.clip(0, 1) * 255).astype(np.int64)


def corrupted(task: Task, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    pixels = torch.from_numpy(images.transpose(0, 3, 1, 2) / 255).float().contiguous()
    return levels(task.corrupt(pixels, generator()).permute(0, 2, 3, 1).double().numpy())


def assert_close(ours: NDArray[np.int64], expected: list[Pixels]) -> None:
    # The mean of equal levels is that level, which rounding must not take away.
    difference = np.abs(ours - levels(np.stack(expected) + 1e-9))
    assert difference.max() <= 2
    assert difference.mean() <= 0.15


def blurred(image: Pixels, deviation: float) -> Pixels:
    filtered: Pixels = gaussian_filter(image, (deviation, deviation, 0), mode="nearest")
    return filtered


@every_case
@pytest.mark.parametrize("shape", SHAPES)
def test_defocus_blur_equals_a_plain_correlation(table, severity, shape):
    radius, deviation = DISKS[table][severity - 1]
    reach, taps = (8, 1) if radius <= 8 else (10, 2)
    span = range(-reach, reach + 1)
    sharp = np.array([[float(math.hypot(x, y) <= radius) for x in span] for y in span])
    bell = np.exp(-(np.arange(-taps, taps + 1) ** 2) / (2 * deviation**2))
    soft = correlate(sharp / sharp.sum(), np.outer(bell, bell) / bell.sum() ** 2, mode="mirror")
    images = photos(shape)
    expected = [correlate(image / 255, soft[..., None], mode="mirror") for image in images]
    task = DefocusBlur(severity=severity, severities=table)
    assert_close(corrupted(task, images), expected)


@every_case
@pytest.mark.parametrize("shape", [(20, 20, 3), (8, 8, 1), (13, 17, 3)])
def test_glass_blur_equals_a_sweep_pixel_by_pixel(table, severity, shape):
    deviation, distance, sweeps = DEVIATION_DISTANCE_SWEEPS[table][severity - 1]
    images, draws = photos(shape), generator()
    height, width = shape[:2]
    inner = [max(0, size - 2 * distance) for size in (height, width)]
    steps = [
        torch.randint(-distance, distance, (len(images), 2, *inner), generator=draws).numpy()
        for _ in range(sweeps)
    ]
    expected = []
    for number, image in enumerate(images):
        sweeping = levels(blurred(image / 255, deviation) + 1e-9)
        for step in steps:
            for row in range(height - distance, distance, -1):
                for column in range(width - distance, distance, -1):
                    down, right = step[number, :, row - distance - 1, column - distance - 1]
                    sweeping[row, column] = sweeping[row + down, column + right]
        expected.append(blurred(sweeping / 255, deviation))
    assert_close(corrupted(GlassBlur(severity=severity, severities=table), images), expected)


@every_case
@pytest.mark.parametrize("shape", SHAPES)
def test_motion_blur_equals_a_sum_of_shifted_images(table, severity, shape):
    radius, deviation = LINES[table][severity - 1]
    images, draws = photos(shape), generator()
    angles = torch.empty(len(images)).uniform_(-45, 45, generator=draws).double().deg2rad().numpy()
    weights = [math.exp(-(tap**2) / (2 * deviation**2)) for tap in range(2 * radius + 1)]
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    expected = []
    for image, angle in zip(images, angles, strict=True):
        total = np.zeros(shape)
        for tap, weight in enumerate(weights):
            row = (rows + math.ceil(tap * math.sin(angle) - 0.5)).clip(0, shape[0] - 1)
            column = (columns + math.ceil(tap * math.cos(angle) - 0.5)).clip(0, shape[1] - 1)
            total += weight / sum(weights) * image[row, column] / 255
        expected.append(total)
    assert_close(corrupted(MotionBlur(severity=severity, severities=table), images), expected)


@every_case
@pytest.mark.parametrize("shape", SHAPES)
def test_zoom_blur_equals_scipy_zoom_of_crops(table, severity, shape):
    images = photos(shape)
    factors = np.arange(1, *END_AND_STEP[table][severity - 1])
    expected = []
    for image in images / 255:
        total = image.copy()
        for factor in factors:
            kept = [math.ceil(size / factor) for size in shape[:2]]
            crop = image[tuple(_middle(size, k) for size, k in zip(shape, kept, strict=False))]
            large = zoom(crop, (factor, factor, 1), order=1, mode="nearest")
            total += large[tuple(_middle(large.shape[axis], shape[axis]) for axis in (0, 1))]
        expected.append(total / (len(factors) + 1))
    assert_close(corrupted(ZoomBlur(severity=severity, severities=table), images), expected)


def _middle(size: int, kept: int) -> slice:
    return slice((size - kept) // 2, (size - kept) // 2 + kept)


@every_case
@pytest.mark.parametrize("shape", SHAPES)
def test_elastic_transform_equals_scipy(table, severity, shape):
    images, draws, (height, width) = photos(shape), generator(), shape[:2]
    strength, deviation, jitter = STRENGTH_DEVIATION_JITTER[table][severity - 1]
    corners = uniform(len(images), 3, 2, draws=draws) if jitter else None
    moves = uniform(len(images), 2, height, width, draws=draws) if strength else None
    y, x = np.mgrid[:height, :width].astype(float)
    expected = list(images / 255)
    for number in range(len(images)):
        if corners is not None:
            matrix = _inverse_map(corners[number] * jitter * height, height, width)
            from_x, from_y = np.einsum("ab,bij->aij", matrix, np.stack([x, y, np.ones_like(x)]))
            expected[number] = _read(expected[number], from_y, from_x, "mirror")
        if moves is not None:
            sigma = (deviation * height, deviation * width)
            dx, dy = (gaussian_filter(m, sigma, mode="reflect", truncate=3) for m in moves[number])
            amount = strength * height
            expected[number] = _read(expected[number], y + amount * dy, x + amount * dx, "reflect")
    assert_close(corrupted(ElasticTransform(severity=severity, severities=table), images), expected)


def _inverse_map(moves: Pixels, height: int, width: int) -> Pixels:
    """The 2 × 3 matrix that takes the three moved points back."""
    side = min(height, width) // 3
    before = np.array([[1, 1], [1, -1], [-1, -1]]) * side + [width // 2, height // 2]
    after = np.column_stack([before + moves, np.ones(3)])
    return (np.linalg.inv(after) @ before).T


def _read(image: Pixels, rows: Pixels, columns: Pixels, mode: str) -> Pixels:
    channels = np.moveaxis(image, 2, 0)
    read = [map_coordinates(c, [rows, columns], order=1, mode=mode) for c in channels]
    return np.stack(read, axis=-1)


@every_case
def test_speckle_noise_grows_with_the_value(table, severity):
    deviation = DEVIATION[table][severity - 1]
    for level in (0.0, 0.25, 0.5):
        pixels = torch.full((10, 1, 100, 100), level)
        task = SpeckleNoise(severity=severity, severities=table)
        noise = (task.corrupt(pixels, generator()) - level).double()
        assert noise.std().item() == pytest.approx(deviation * level, rel=0.02)
        assert abs(noise.mean().item()) <= 5 * deviation * level / 100_000**0.5


@every_case
@pytest.mark.parametrize("blur", BLURS)
def test_a_constant_image_keeps_its_level(table, severity, blur):
    images = np.arange(0, 256, 5, dtype=np.uint8).repeat(9 * 12).reshape(-1, 9, 12, 1)
    # The largest published disks do not quite add up to 1.
    weight = disk(*DISKS[table][severity - 1]).sum() if blur is DefocusBlur else 1.0
    after = corrupted(blur(severity=severity, severities=table), images)
    assert weight == pytest.approx(1, abs=0.02)
    assert np.array_equal(after, levels(images / 255 * weight + LIFT))


@pytest.mark.parametrize("table", ["cifar", "imagenet"])
@pytest.mark.parametrize("blur", BLURS)
def test_large_images_are_corrupted_like_any(table, blur):
    images = photos((112, 224, 1), count=1)
    after = corrupted(blur(severity=3, severities=table), images)
    assert after.shape == images.shape
    assert 1 < np.abs(after - images).mean() < 60
