"""Noise, blurs and digital corruptions of one image after the other, as they are defined.

Each ``loop_<name>`` maps one square 8-bit image, (size, size, 3), to floats around [0, 1], at the
severities of CIFAR-10-C, over NumPy, SciPy and Pillow. Motion blur sums shifted images, where the
published code goes through ImageMagick; the rest takes the published steps.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import correlate, gaussian_filter, map_coordinates, zoom

from workers.tasks import (
    brightness,
    contrast,
    defocus_blur,
    elastic_transform,
    gaussian_blur,
    gaussian_noise,
    glass_blur,
    impulse_noise,
    jpeg,
    motion_blur,
    pixelate,
    saturate,
    shot_noise,
    speckle_noise,
    zoom_blur,
)

DRAW = np.random.default_rng(0)
Floats = NDArray[np.float64]
Levels = NDArray[np.uint8]
Loop = Callable[[Levels, int], Floats]


def loop_gaussian_noise(image: Levels, severity: int) -> Floats:
    return image / 255 + DRAW.normal(
        0, gaussian_noise.DEVIATION["cifar"][severity - 1], image.shape
    )


def loop_shot_noise(image: Levels, severity: int) -> Floats:
    photons = shot_noise.PHOTONS["cifar"][severity - 1]
    return DRAW.poisson(image / 255 * photons) / photons


def loop_impulse_noise(image: Levels, severity: int) -> Floats:
    flipped = DRAW.random(image.shape) < impulse_noise.AMOUNT["cifar"][severity - 1]
    salt = DRAW.random(image.shape) < 0.5
    return np.where(flipped, salt.astype(float), image / 255)


def loop_gaussian_blur(image: Levels, severity: int) -> Floats:
    deviation = gaussian_blur.DEVIATION["cifar"][severity - 1]
    blurred: Floats = gaussian_filter(image / 255, (deviation, deviation, 0), mode="nearest")
    return blurred


def loop_contrast(image: Levels, severity: int) -> Floats:
    pixels = image / 255
    centre = pixels.mean((0, 1), keepdims=True)
    return (pixels - centre) * contrast.FACTOR["cifar"][severity - 1] + centre


def loop_brightness(image: Levels, severity: int) -> Floats:
    hue, saturation, value = to_hsv(image / 255)
    added = value + brightness.ADDEND["cifar"][severity - 1]
    return to_rgb(hue, saturation, np.minimum(added, 1))


def loop_saturate(image: Levels, severity: int) -> Floats:
    hue, saturation, value = to_hsv(image / 255)
    factor, addend = saturate.FACTOR_AND_ADDEND["cifar"][severity - 1]
    return to_rgb(hue, np.clip(factor * saturation + addend, 0, 1), value)


def to_hsv(pixels: Floats) -> tuple[Floats, Floats, Floats]:
    """Convert a whole image at once, as the published code does; hue in sixths of a turn."""
    value, low = pixels.max(2), pixels.min(2)
    spread = value - low
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.where(value > 0, spread / value, 0)
        red, green, blue = np.moveaxis(pixels, 2, 0)
        hue = np.select(
            [red == value, green == value],
            [(green - blue) / spread, 2 + (blue - red) / spread],
            4 + (red - green) / spread,
        )
    return np.where(spread > 0, hue, 0), saturation, value


def to_rgb(hue: Floats, saturation: Floats, value: Floats) -> Floats:
    turn = (np.array([5, 3, 1]) + hue[..., None]) % 6
    wave = np.clip(np.minimum(turn, 4 - turn), 0, 1)
    rgb: Floats = value[..., None] * (1 - saturation[..., None] * wave)
    return rgb


def loop_pixelate(image: Levels, severity: int) -> Floats:
    side = int(len(image) * pixelate.SCALE["cifar"][severity - 1])
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
    return np.array(small.resize(image.shape[:2], Image.Resampling.BOX)) / 255


def loop_jpeg(image: Levels, severity: int) -> Floats:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=jpeg.QUALITY["cifar"][severity - 1])
    return np.array(Image.open(buffer)) / 255


def loop_speckle_noise(image: Levels, severity: int) -> Floats:
    pixels = image / 255
    return pixels + pixels * DRAW.normal(
        0, speckle_noise.DEVIATION["cifar"][severity - 1], image.shape
    )


def loop_defocus_blur(image: Levels, severity: int) -> Floats:
    kernel = defocus_blur.disk(*defocus_blur.RADIUS_AND_DEVIATION["cifar"][severity - 1])
    blurred: Floats = correlate(image / 255, kernel[..., None], mode="mirror")
    return blurred


def loop_glass_blur(image: Levels, severity: int) -> Floats:
    deviation, reach, sweeps = glass_blur.DEVIATION_DISTANCE_SWEEPS["cifar"][severity - 1]
    blurred = gaussian_filter(image / 255, (deviation, deviation, 0), mode="nearest")
    levels = np.uint8(blurred * 255)
    for _ in range(sweeps):
        for row in range(len(image) - reach, reach, -1):
            for column in range(len(image) - reach, reach, -1):
                right, down = DRAW.integers(-reach, reach, 2)
                levels[row, column] = levels[row + down, column + right]
    again: Floats = gaussian_filter(levels / 255, (deviation, deviation, 0), mode="nearest")
    return again


def loop_motion_blur(image: Levels, severity: int) -> Floats:
    radius, deviation = motion_blur.RADIUS_AND_DEVIATION["cifar"][severity - 1]
    return smear(image / 255, radius, deviation, DRAW.uniform(-45, 45))


def smear(image: Floats, radius: int, deviation: float, degrees: float) -> Floats:
    angle = math.radians(degrees)
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * deviation**2))
    padded = np.pad(image, [(2 * radius,) * 2, (2 * radius,) * 2, (0, 0)], mode="edge")
    total = np.zeros(image.shape)
    for tap, weight in enumerate(weights / weights.sum()):
        row = 2 * radius + math.ceil(tap * math.sin(angle) - 0.5)
        column = 2 * radius + math.ceil(tap * math.cos(angle) - 0.5)
        total += weight * padded[row : row + len(image), column : column + len(image)]
    return total


def loop_zoom_blur(image: Levels, severity: int) -> Floats:
    pixels = image / 255
    factors = np.arange(1, *zoom_blur.END_AND_STEP["cifar"][severity - 1])
    total = pixels + sum(enlarge(pixels, factor) for factor in factors)
    return total / (len(factors) + 1)


def enlarge(image: Floats, factor: float) -> Floats:
    size = len(image)
    kept = math.ceil(size / factor)
    crop = image[(size - kept) // 2 :, (size - kept) // 2 :][:kept, :kept]
    large = zoom(crop, (factor, factor, 1), order=1, mode="nearest")
    first = (len(large) - size) // 2
    middle: Floats = large[first : first + size, first : first + size]
    return middle


def loop_elastic_transform(image: Levels, severity: int) -> Floats:
    size = len(image)
    strength, deviation, jitter = elastic_transform.STRENGTH_DEVIATION_JITTER["cifar"][severity - 1]
    corners = np.array([[1, 1], [1, -1], [-1, -1]]) * (size // 3) + size // 2
    moved = np.column_stack([corners + DRAW.uniform(-1, 1, (3, 2)) * jitter * size, np.ones(3)])
    y, x = np.mgrid[:size, :size].astype(float)
    columns, rows = np.einsum(
        "ba,bij->aij", np.linalg.solve(moved, corners), [x, y, np.ones_like(x)]
    )
    mapped = read(image / 255, rows, columns, "mirror")
    if not strength:
        return mapped
    moves = [
        gaussian_filter(DRAW.uniform(-1, 1, (size, size)), deviation * size, truncate=3)
        for _ in range(2)
    ]
    return read(mapped, y + moves[0] * strength * size, x + moves[1] * strength * size, "reflect")


def read(image: Floats, rows: Floats, columns: Floats, mode: str) -> Floats:
    channels = [
        map_coordinates(channel, [rows, columns], order=1, mode=mode)
        for channel in np.moveaxis(image, 2, 0)
    ]
    return np.stack(channels, axis=-1)


def named_loops(scope: dict[str, Any]) -> dict[str, Loop]:
    """Find the functions called ``loop_<corruption>``."""
    return {
        name.removeprefix("loop_"): loop for name, loop in scope.items() if name.startswith("loop_")
    }
