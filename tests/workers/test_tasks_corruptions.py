"""Known answers for every corruption: Pillow, SciPy, colorsys, arithmetic, distributions."""

from __future__ import annotations

import colorsys
import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from workers.evaluation.inputs import corrupt_block
from workers.tasks.brightness import ADDEND, Brightness
from workers.tasks.contrast import Contrast
from workers.tasks.gaussian_blur import DEVIATION, GaussianBlur
from workers.tasks.gaussian_noise import DEVIATION as NOISE
from workers.tasks.gaussian_noise import GaussianNoise
from workers.tasks.impulse_noise import AMOUNT, ImpulseNoise
from workers.tasks.jpeg import QUALITY, Jpeg
from workers.tasks.pixelate import SCALE, Pixelate
from workers.tasks.shot_noise import PHOTONS, ShotNoise

CASES = [(table, severity) for table in ("cifar", "imagenet") for severity in (1, 2, 3, 4, 5)]
SHAPES = [(32, 32, 3), (8, 8, 1), (13, 21, 3)]

every_case = pytest.mark.parametrize(("table", "severity"), CASES)


def photos(shape: tuple[int, int, int], count: int = 6) -> NDArray[np.uint8]:
    """Smooth random colours with some texture, full range."""
    draw = np.random.default_rng(7)
    rough = draw.uniform(0, 255, (count, *shape))
    smooth = gaussian_filter(rough, (0, 2, 2, 0)) * 4 - 384
    return np.clip(smooth + 0.2 * rough, 0, 255).astype(np.uint8)


def pillow(image: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@every_case
@pytest.mark.parametrize("shape", [*SHAPES, (90, 100, 3), (100, 90, 1)])
def test_jpeg_equals_pillow(table, severity, shape):
    images = photos(shape)
    for image, ours in zip(
        images,
        corrupt_block(images, Jpeg(severity=severity, severities=table), "k", 0),
        strict=True,
    ):
        buffer = io.BytesIO()
        pillow(image).save(buffer, "JPEG", quality=QUALITY[table][severity - 1])
        assert np.array_equal(np.array(Image.open(buffer)).reshape(shape), ours)


@every_case
@pytest.mark.parametrize("shape", [*SHAPES, (224, 160, 3), (1, 1, 1)])
def test_pixelate_equals_pillow(table, severity, shape):
    images = photos(shape)
    corrupted = corrupt_block(images, Pixelate(severity=severity, severities=table), "k", 0)
    small = [max(1, int(size * SCALE[table][severity - 1])) for size in (shape[1], shape[0])]
    for image, ours in zip(images, corrupted, strict=True):
        reduced = pillow(image).resize(small, Image.Resampling.BOX)
        expected = reduced.resize((shape[1], shape[0]), Image.Resampling.BOX)
        assert np.array_equal(np.array(expected).reshape(shape), ours)


@every_case
@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_blur_equals_scipy(table, severity, shape):
    pixels = photos(shape).astype(np.float32).transpose(0, 3, 1, 2) / 255
    ours = GaussianBlur(severity=severity, severities=table).corrupt(
        torch.from_numpy(pixels), generator()
    )
    sigma = DEVIATION[table][severity - 1]
    expected = gaussian_filter(pixels, (0, 0, sigma, sigma), mode="nearest", truncate=4.0)
    assert np.abs(ours.numpy() - expected).max() < 1e-6


def test_contrast_by_hand():
    first = torch.tensor([[0.0, 0.2], [0.4, 1.0]])  # mean 0.4
    second = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    corrupted = Contrast(severity=3).corrupt(torch.stack([first, second])[None], generator())
    assert torch.allclose(corrupted[0, 0], torch.tensor([[0.24, 0.32], [0.4, 0.64]]))
    assert torch.equal(corrupted[0, 1], second)


@every_case
def test_brightness_equals_colorsys(table, severity):
    pixels = torch.from_numpy(photos((8, 8, 3)).transpose(0, 3, 1, 2) / 255).float()
    pixels[0, :, 0, :3] = torch.tensor([[0.0, 1.0, 0.3], [0.0, 1.0, 0.3], [0.0, 1.0, 0.3]])
    ours = Brightness(severity=severity, severities=table).corrupt(pixels, generator())
    for before, after in zip(
        pixels.permute(0, 2, 3, 1).reshape(-1, 3).tolist(),
        ours.permute(0, 2, 3, 1).reshape(-1, 3).tolist(),
        strict=True,
    ):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + ADDEND[table][severity - 1], 1))
        assert after == pytest.approx(expected, abs=1e-5)


def test_brightness_of_one_channel_adds():
    pixels = torch.tensor([0.0, 0.25, 0.5, 0.95]).view(1, 1, 2, 2)
    expected = torch.tensor([0.1, 0.35, 0.6, 1.0]).view(1, 1, 2, 2)
    assert torch.allclose(Brightness(severity=2).corrupt(pixels, generator()), expected)


@every_case
def test_impulse_noise_hits_its_fraction(table, severity):
    pixels = torch.full((100, 3, 50, 50), 0.5)  # 750,000 values
    corrupted = ImpulseNoise(severity=severity, severities=table).corrupt(pixels, generator())
    half = AMOUNT[table][severity - 1] / 2
    margin = 5 * (half / pixels.numel()) ** 0.5
    assert (corrupted == 0).float().mean().item() == pytest.approx(half, abs=margin)
    assert (corrupted == 1).float().mean().item() == pytest.approx(half, abs=margin)
    untouched = (corrupted == 0.5).sum() + (corrupted == 0).sum() + (corrupted == 1).sum()
    assert untouched == pixels.numel()


@every_case
@pytest.mark.parametrize("level", [0.0, 0.2, 0.8])
def test_shot_noise_has_poisson_moments(table, severity, level):
    pixels = torch.full((20, 1, 100, 100), level)
    corrupted = ShotNoise(severity=severity, severities=table).corrupt(pixels, generator()).double()
    variance = level / PHOTONS[table][severity - 1]
    assert corrupted.mean().item() == pytest.approx(level, abs=5 * (variance / 200_000) ** 0.5)
    assert corrupted.var().item() == pytest.approx(variance, rel=0.03)


@every_case
def test_gaussian_noise_has_its_deviation(table, severity):
    pixels = torch.full((20, 1, 100, 100), 0.5)
    noise = (
        GaussianNoise(severity=severity, severities=table).corrupt(pixels, generator()) - 0.5
    ).double()
    assert noise.std().item() == pytest.approx(NOISE[table][severity - 1], rel=0.01)
    assert abs(noise.mean().item()) < 5 * NOISE[table][severity - 1] / 200_000**0.5


def test_pixels_are_clipped_then_truncated():
    pixels = np.array([0, 100, 250], np.uint8).reshape(1, 1, 3, 1)
    # + 0.05 is + 12.75 grey levels, of which the fraction is cut off.
    expected = [12, 112, 255]
    assert corrupt_block(pixels, Brightness(severity=1), "k", 0).flatten().tolist() == expected


def test_pixelate_by_hand():
    pixels = np.array([[0, 100], [50, 250]], np.uint8).reshape(1, 2, 2, 1)
    # int(2 · 0.65) = 1: the one pixel left is the mean of 50 and 150.
    corrupted = corrupt_block(pixels, Pixelate(severity=5), "k", 0)
    assert corrupted.flatten().tolist() == [100, 100, 100, 100]
